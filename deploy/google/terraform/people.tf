# One account for each person to call the API with: a notebook asks for a short-lived token in its name, so that no key is
# needed, and the API sees who calls. https://cloud.google.com/iam/docs/create-short-lived-credentials-direct#sa-credentials-oidc
resource "google_service_account" "caller" {
  for_each = var.people

  account_id   = "gazeline-for-${each.key}"
  display_name = "Gazeline: calls of ${each.key}"
  depends_on   = [google_project_service.needed]
}

resource "google_service_account_iam_member" "caller" {
  for_each = var.people

  service_account_id = google_service_account.caller[each.key].name
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = each.value
}

resource "google_cloud_run_v2_service_iam_member" "caller" {
  for_each = merge([
    for name, function in local.functions : {
      for person in keys(var.people) : "${name} ${person}" => { function = name, person = person }
    } if function.trigger.access == "private"
  ]...)

  location = var.region
  name     = google_cloudfunctions2_function.function[each.value.function].name
  role     = "roles/run.invoker"
  member   = google_service_account.caller[each.value.person].member
}

# Data is read straight from the buckets, by the person.
resource "google_storage_bucket_iam_member" "person" {
  for_each = merge([
    for person, member in var.people : {
      "${person} raw"     = { bucket = google_storage_bucket.raw.name, member = member }
      "${person} derived" = { bucket = google_storage_bucket.derived.name, member = member }
    }
  ]...)

  bucket = each.value.bucket
  role   = "roles/storage.objectViewer"
  member = each.value.member
}

# What each may do with the API (shared/api/access.ts). A lab that names nobody here may keep the file by hand.
resource "google_storage_bucket_object" "access" {
  count = length(var.people) > 0 ? 1 : 0

  bucket       = google_storage_bucket.state.name
  name         = "access.json"
  content_type = "application/json"

  content = jsonencode({
    members = {
      for person, member in var.people : google_service_account.caller[person].email => {
        role   = lookup(var.roles, person, "runner")
        person = split(":", member)[1]
      }
    }
  })
}
