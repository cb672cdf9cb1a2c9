locals {
  buckets = {
    raw     = coalesce(var.buckets.raw, "${var.project}-gazeline-raw")
    derived = coalesce(var.buckets.derived, "${var.project}-gazeline-derived")
    state   = coalesce(var.buckets.state, "${var.project}-gazeline-state")
  }
}

# The mirror of the study folder. A removal is a new version, never an erasure.
resource "google_storage_bucket" "raw" {
  name                        = local.buckets.raw
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.delete_data
  depends_on                  = [google_project_service.needed]

  versioning {
    enabled = true
  }

  # What versions cannot undo: somebody deletes one. But a bucket that is deleted while it has such a policy is kept with all
  # that was in it: https://cloud.google.com/storage/docs/soft-delete
  soft_delete_policy {
    retention_duration_seconds = var.delete_data ? 0 : 2592000
  }
}

# Everything computed, which could be computed again.
resource "google_storage_bucket" "derived" {
  name                        = local.buckets.derived
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.delete_data
  depends_on                  = [google_project_service.needed]

  soft_delete_policy {
    retention_duration_seconds = var.delete_data ? 0 : 604800
  }

  # Uploads that were begun and not ended are paid for, and can be seen nowhere.
  lifecycle_rule {
    condition {
      age = 7
    }

    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  dynamic "lifecycle_rule" {
    for_each = var.keep_derived_days > 0 ? [var.keep_derived_days] : []

    content {
      condition {
        age = lifecycle_rule.value
      }

      action {
        type = "Delete"
      }
    }
  }
}

# Records are written over all day: kept for a week each time, they would cost more than all data.
resource "google_storage_bucket" "state" {
  name                        = local.buckets.state
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.delete_data
  depends_on                  = [google_project_service.needed]

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  # Answers that are kept for who asks the same again, for a day (shared/api/answerOnce.ts).
  lifecycle_rule {
    condition {
      age            = 2
      matches_prefix = ["idempotency/"]
    }

    action {
      type = "Delete"
    }
  }
}

# What the functions are built from. It can be made again from the repository.
resource "google_storage_bucket" "packages" {
  name                        = "${var.project}-gazeline-packages"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true
  depends_on                  = [google_project_service.needed]

  soft_delete_policy {
    retention_duration_seconds = 0
  }
}

# Whose name notifications are published in.
data "google_storage_project_service_account" "storage" {
  project    = var.project
  depends_on = [google_project_service.needed]
}

locals {
  notified = { for name, function in local.functions : name => function if function.trigger.kind == "object" }
}

resource "google_pubsub_topic_iam_member" "storage" {
  for_each = local.notified

  topic  = google_pubsub_topic.topic[each.value.trigger.topic].name
  role   = "roles/pubsub.publisher"
  member = data.google_storage_project_service_account.storage.member
}

resource "google_storage_notification" "object" {
  for_each = local.notified

  bucket         = each.value.trigger.bucket == "raw" ? google_storage_bucket.raw.name : google_storage_bucket.derived.name
  topic          = google_pubsub_topic.topic[each.value.trigger.topic].id
  event_types    = ["OBJECT_FINALIZE"]
  payload_format = "JSON_API_V1"
  depends_on     = [google_pubsub_topic_iam_member.storage]
}
