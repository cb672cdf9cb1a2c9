# Whoever may not see the billing account leaves it out; spending is then known by estimates alone.
resource "google_billing_budget" "lab" {
  count = var.billing_account == "" ? 0 : 1

  billing_account = var.billing_account
  display_name    = "Gazeline in ${var.project}"

  budget_filter {
    projects               = ["projects/${data.google_project.lab.number}"]
    credit_types_treatment = "INCLUDE_ALL_CREDITS"
  }

  amount {
    specified_amount {
      currency_code = var.budget.currency
      units         = tostring(floor(var.budget.amount))
      nanos         = floor(var.budget.amount) == var.budget.amount ? null : (var.budget.amount - floor(var.budget.amount)) * 1000000000
    }
  }

  # For the mails of Google's own. What Gazeline does at which share is its own setting: budgets say several times a day
  # what was spent, whether or not a threshold was crossed.
  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1]

    content {
      threshold_percent = threshold_rules.value
    }
  }

  all_updates_rule {
    pubsub_topic   = google_pubsub_topic.topic["budget-notified"].id
    schema_version = "1.0"
  }

  depends_on = [google_pubsub_topic_iam_member.budget]
}

# https://cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications#notification_format
resource "google_pubsub_topic_iam_member" "budget" {
  count = var.billing_account == "" ? 0 : 1

  topic  = google_pubsub_topic.topic["budget-notified"].name
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:billing-budget-alert@system.gserviceaccount.com"
}
