output "share_with" {
  description = "The study folder has to be shared with this address: to read, or as an editor if notices are to be put into it. A shared drive that is exported to needs it as a content manager."
  value       = google_service_account.drive.email
}

output "buckets" {
  value = local.buckets
}

output "urls" {
  description = "Where each function is reached."
  value       = { for name, function in google_cloudfunctions2_function.function : name => function.service_config[0].uri }
}

output "webhook" {
  description = "Where Drive is told to call; empty if it must not."
  value       = var.public_webhook ? local.webhook_url : ""
}

output "api" {
  description = "Where the API is reached, and the audience of tokens for it."
  value       = local.api_urls[0]
}

output "callers" {
  description = "The account in whose name each person calls the API."
  value       = { for person, account in google_service_account.caller : person => account.email }
}

output "data" {
  description = "The addresses of what a `destroy` that keeps the data has to forget first (`terraform state rm`)."
  value       = ["google_storage_bucket.raw", "google_storage_bucket.derived", "google_storage_bucket.state"]
}
