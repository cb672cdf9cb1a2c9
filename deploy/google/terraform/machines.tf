# What a machine of a job runs as: the researchers' own code, from any repository they name.
resource "google_service_account" "machines" {
  account_id   = "gazeline-machines"
  display_name = "Gazeline: machines of jobs"
  depends_on   = [google_project_service.needed]
}

# Inputs may come from either bucket.
resource "google_storage_bucket_iam_member" "machines_read" {
  for_each = {
    raw     = google_storage_bucket.raw.name
    derived = google_storage_bucket.derived.name
  }

  bucket = each.value
  role   = "roles/storage.objectViewer"
  member = google_service_account.machines.member
}

# Reports, checkpoints and results go below jobs/, and nowhere else.
resource "google_project_iam_custom_role" "machines" {
  role_id     = "gazeline.machines.derived"
  title       = "Gazeline: machines derived"
  description = "What a machine of a job does with its own part of the derived bucket"
  permissions = ["storage.objects.create", "storage.objects.delete"]
  depends_on  = [google_project_service.needed]
}

resource "google_storage_bucket_iam_member" "machines_write" {
  bucket = google_storage_bucket.derived.name
  role   = google_project_iam_custom_role.machines.name
  member = google_service_account.machines.member

  condition {
    title      = "Results of jobs"
    expression = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.derived.name}/objects/jobs/\")"
  }
}
