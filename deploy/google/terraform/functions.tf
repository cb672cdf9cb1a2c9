# What functions there are and what each needs is not written here: `deploy/google/describe.ts` writes it, from
# `functions/index.ts`.
locals {
  description = jsondecode(file("${path.module}/functions.json"))
  functions   = local.description.functions

  # What is empty is left out: an API that gives back less than it was given is told the same at every plan.
  environment = merge(
    {
      GAZELINE_PROJECT         = var.project
      GAZELINE_LAB             = var.lab
      GAZELINE_STUDY_FOLDER    = var.study_folder
      GAZELINE_RAW_BUCKET      = local.buckets.raw
      GAZELINE_DERIVED_BUCKET  = local.buckets.derived
      GAZELINE_STATE_BUCKET    = local.buckets.state
      GAZELINE_DRIVE_ACCOUNT   = google_service_account.drive.email
      GAZELINE_MACHINE_ACCOUNT = google_service_account.machines.email
      GAZELINE_BUDGET_AMOUNT   = tostring(var.budget.amount)
      GAZELINE_BUDGET_CURRENCY = var.budget.currency
    },
    var.shared_drive == "" ? {} : { GAZELINE_SHARED_DRIVE = var.shared_drive },
    { GAZELINE_API_URL = join(",", local.api_urls) },
    var.public_webhook ? { GAZELINE_WEBHOOK_URL = local.webhook_url } : {},
    var.detach_billing ? { GAZELINE_DETACH_BILLING = "on", GAZELINE_DETACH_PROJECTS = var.project } : {},
    var.billing_account == "" ? {} : {
      GAZELINE_BILLING_ACCOUNT = var.billing_account
      GAZELINE_BUDGETS         = element(split("/", google_billing_budget.lab[0].name), -1)
    },
    var.settings,
  )

  # The address that a function keeps. `uri`, by which Pub/Sub calls, is only known once it is there, and one function
  # would have to wait for another one of the same resource. https://cloud.google.com/functions/docs/calling/http#url
  webhook_url = "https://${var.region}-${var.project}.cloudfunctions.net/drive-webhook"

  # Tokens name one of the addresses that `api` has; for Cloud Run either is good. The second one is made of what is known as
  # well. https://cloud.google.com/run/docs/triggering/https-request#deterministic
  api_urls = [
    "https://${var.region}-${var.project}.cloudfunctions.net/api",
    "https://api-${data.google_project.lab.number}.${var.region}.run.app",
  ]
}

resource "google_service_account" "function" {
  for_each = local.functions

  account_id   = "gazeline-${each.key}"
  display_name = "Gazeline: ${each.key}"
  depends_on   = [google_project_service.needed]
}

# Named by its content: a function is deployed anew when there is something new in it.
resource "google_storage_bucket_object" "package" {
  for_each = local.functions

  bucket = google_storage_bucket.packages.name
  name   = "${each.key}-${filesha256("${var.packages}/${each.key}.zip")}.zip"
  source = "${var.packages}/${each.key}.zip"
}

resource "google_cloudfunctions2_function" "function" {
  for_each = local.functions

  name     = each.key
  location = var.region

  build_config {
    runtime           = "nodejs24"
    entry_point       = each.key
    service_account   = google_service_account.build.id
    docker_repository = google_artifact_registry_repository.functions.id

    # All that a function needs is in its package: nothing is fetched while it is built.
    # https://cloud.google.com/docs/buildpacks/nodejs#npm-vendor
    environment_variables = { GOOGLE_VENDOR_NPM_DEPENDENCIES = "true" }

    source {
      storage_source {
        bucket = google_storage_bucket_object.package[each.key].bucket
        object = google_storage_bucket_object.package[each.key].name
      }
    }

    # Security fixes of the runtime come by themselves.
    automatic_update_policy {}
  }

  service_config {
    service_account_email            = google_service_account.function[each.key].email
    available_memory                 = each.value.memory
    available_cpu                    = "1"
    timeout_seconds                  = each.value.timeout
    max_instance_count               = each.value.instances
    max_instance_request_concurrency = each.value.concurrency
    environment_variables            = merge(local.environment, each.value.environment)

    # Pub/Sub of the same project counts as internal. https://cloud.google.com/run/docs/securing/ingress
    ingress_settings = each.value.trigger.kind == "http" ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY"

    dynamic "secret_environment_variables" {
      for_each = contains(keys(each.value.grants), "channelSecret") ? [google_secret_manager_secret_version.channel] : []

      content {
        key        = "GAZELINE_CHANNEL_SECRET"
        project_id = var.project
        secret     = google_secret_manager_secret.channel.secret_id
        version    = secret_environment_variables.value.version
      }
    }
  }

  # It may be called, or look for its secret, as soon as it is there.
  depends_on = [
    google_project_iam_member.build_logs,
    google_project_iam_member.build_source,
    google_artifact_registry_repository_iam_member.build,
    google_storage_bucket_iam_member.build,
    google_storage_bucket_iam_member.function,
    google_secret_manager_secret_iam_member.function,
  ]

  lifecycle {
    precondition {
      condition     = length(setintersection(keys(each.value.environment), keys(var.settings))) == 0
      error_message = "A setting of yours is one that is reckoned out: ${join(", ", setintersection(keys(each.value.environment), keys(var.settings)))}."
    }
  }
}

# Drive has no account of its own that could be let in; the function itself knows by the channel's token who calls.
resource "google_cloud_run_v2_service_iam_member" "public" {
  for_each = { for name, function in local.functions : name => function if function.trigger.access == "public" && var.public_webhook }

  location = var.region
  name     = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}

# What builds a function runs other people's npm packages, and sees no data of the lab.
resource "google_service_account" "build" {
  account_id   = "gazeline-build"
  display_name = "Gazeline: builds of functions"
  depends_on   = [google_project_service.needed]
}

resource "google_artifact_registry_repository" "functions" {
  repository_id = "gazeline"
  location      = var.region
  format        = "DOCKER"
  description   = "Images of Gazeline's functions"
  depends_on    = [google_project_service.needed]

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"

    most_recent_versions {
      keep_count = 3
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"

    condition {
      older_than = "2592000s"
    }
  }
}

resource "google_artifact_registry_repository_iam_member" "build" {
  location   = var.region
  repository = google_artifact_registry_repository.functions.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

resource "google_project_iam_member" "build_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}

# Cloud Functions copies the source to a bucket of its own before it is built; that one may be read, and no other.
resource "google_project_iam_member" "build_source" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title      = "Sources of functions"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-\")"
  }
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.packages.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}
