# Builds of the repository. A build of any branch may look, and only the trigger of the main branch may change anything:
# what a branch says in its cloudbuild.yaml cannot give it more than its account has.
locals {
  ci = var.repository == "" ? {} : {
    plan  = { branch = "^main$", invert = true, description = "Checks and plans every branch" }
    apply = { branch = "^main$", invert = false, description = "Checks, plans and applies the main branch" }
  }

  # What `terraform plan` asks for each kind of thing in this folder. No object of a data bucket and no secret is among them.
  ci_reads = [
    "artifactregistry.repositories.get",
    "artifactregistry.repositories.getIamPolicy",
    "cloudbuild.builds.get",
    "cloudfunctions.functions.get",
    "cloudquotas.quotas.get",
    "cloudscheduler.jobs.get",
    "iam.roles.get",
    "iam.serviceAccounts.get",
    "iam.serviceAccounts.getIamPolicy",
    "logging.logMetrics.get",
    "monitoring.alertPolicies.get",
    "monitoring.notificationChannels.get",
    "pubsub.subscriptions.get",
    "pubsub.subscriptions.getIamPolicy",
    "pubsub.topics.get",
    "pubsub.topics.getIamPolicy",
    "resourcemanager.projects.get",
    "resourcemanager.projects.getIamPolicy",
    "run.services.get",
    "run.services.getIamPolicy",
    "secretmanager.secrets.get",
    "secretmanager.secrets.getIamPolicy",
    "secretmanager.versions.get",
    "serviceusage.services.get",
    "serviceusage.services.list",
    "serviceusage.services.use",
    "storage.buckets.get",
    "storage.buckets.getIamPolicy",
  ]

  # Whoever may write roles and policies could give itself the rest. Hence one branch, and nobody but its reviewers.
  ci_writes = [
    "artifactregistry.repositories.create",
    "artifactregistry.repositories.delete",
    "artifactregistry.repositories.setIamPolicy",
    "artifactregistry.repositories.update",
    "cloudbuild.builds.create",
    "cloudbuild.builds.update",
    "cloudfunctions.functions.create",
    "cloudfunctions.functions.delete",
    "cloudfunctions.functions.sourceCodeSet",
    "cloudfunctions.functions.update",
    "cloudfunctions.operations.get",
    "cloudquotas.quotas.update",
    "cloudscheduler.jobs.create",
    "cloudscheduler.jobs.delete",
    "cloudscheduler.jobs.enable",
    "cloudscheduler.jobs.pause",
    "cloudscheduler.jobs.update",
    "iam.roles.create",
    "iam.roles.delete",
    "iam.roles.undelete",
    "iam.roles.update",
    "iam.serviceAccounts.actAs",
    "iam.serviceAccounts.create",
    "iam.serviceAccounts.delete",
    "iam.serviceAccounts.setIamPolicy",
    "iam.serviceAccounts.update",
    "logging.logMetrics.create",
    "logging.logMetrics.delete",
    "logging.logMetrics.update",
    "monitoring.alertPolicies.create",
    "monitoring.alertPolicies.delete",
    "monitoring.alertPolicies.update",
    "monitoring.notificationChannels.create",
    "monitoring.notificationChannels.delete",
    "monitoring.notificationChannels.update",
    "pubsub.subscriptions.create",
    "pubsub.subscriptions.delete",
    "pubsub.subscriptions.setIamPolicy",
    "pubsub.subscriptions.update",
    "pubsub.topics.attachSubscription",
    "pubsub.topics.create",
    "pubsub.topics.delete",
    "pubsub.topics.publish",
    "pubsub.topics.setIamPolicy",
    "pubsub.topics.update",
    "resourcemanager.projects.setIamPolicy",
    "run.services.setIamPolicy",
    "secretmanager.secrets.create",
    "secretmanager.secrets.delete",
    "secretmanager.secrets.setIamPolicy",
    "secretmanager.secrets.update",
    "secretmanager.versions.add",
    "secretmanager.versions.destroy",
    "serviceusage.services.enable",
    "storage.buckets.create",
    "storage.buckets.delete",
    "storage.buckets.setIamPolicy",
    "storage.buckets.update",
  ]
}

resource "google_service_account" "ci" {
  for_each = local.ci

  account_id   = "gazeline-ci-${each.key}"
  display_name = "Gazeline: ${each.value.description}"
  depends_on   = [google_project_service.needed]
}

resource "google_project_iam_custom_role" "ci" {
  for_each = local.ci

  role_id     = "gazeline.ci.${each.key}"
  title       = "Gazeline: ci ${each.key}"
  description = each.value.description
  permissions = each.key == "apply" ? concat(local.ci_reads, local.ci_writes) : local.ci_reads
  depends_on  = [google_project_service.needed]
}

resource "google_project_iam_member" "ci" {
  for_each = local.ci

  project = var.project
  role    = google_project_iam_custom_role.ci[each.key].name
  member  = google_service_account.ci[each.key].member
}

resource "google_project_iam_member" "ci_logs" {
  for_each = local.ci

  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.ci[each.key].member
}

# Terraform's own memory, which is made before everything else (`backend.tf`). A plan takes no lock there.
resource "google_storage_bucket_iam_member" "ci_state" {
  for_each = local.ci

  bucket = "${var.project}-gazeline-terraform"
  role   = each.key == "apply" ? "roles/storage.objectUser" : "roles/storage.objectViewer"
  member = google_service_account.ci[each.key].member
}

# The packages that functions are built from.
resource "google_storage_bucket_iam_member" "ci_packages" {
  for_each = local.ci

  bucket = google_storage_bucket.packages.name
  role   = each.key == "apply" ? "roles/storage.objectUser" : "roles/storage.objectViewer"
  member = google_service_account.ci[each.key].member
}

# A budget belongs to the billing account, and so does the right to read it.
resource "google_billing_account_iam_member" "ci" {
  for_each = var.billing_account == "" ? {} : local.ci

  billing_account_id = var.billing_account
  role               = each.key == "apply" ? "roles/billing.costsManager" : "roles/billing.viewer"
  member             = google_service_account.ci[each.key].member
}

resource "google_cloudbuild_trigger" "ci" {
  for_each = local.ci

  name            = "gazeline-${each.key}"
  description     = each.value.description
  location        = var.region
  filename        = "cloudbuild.yaml"
  service_account = google_service_account.ci[each.key].id

  repository_event_config {
    repository = var.repository

    push {
      branch       = each.value.branch
      invert_regex = each.value.invert
    }
  }

  substitutions = { _ACTION = each.key }
}
