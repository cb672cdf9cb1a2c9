locals {
  # Functions that a topic calls: everything but HTTP.
  called = { for name, function in local.functions : name => function if function.trigger.kind != "http" }

  topics = toset(concat(
    [for function in local.called : function.trigger.topic],
    local.description.topics,
  ))

  pubsub_agent = "serviceAccount:service-${data.google_project.lab.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "topic" {
  for_each = local.topics

  name       = each.key
  depends_on = [google_project_service.needed]

  # Names of files are in some messages: they stay where the files are.
  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

# Ours, and not Eventarc's, which would hide the deadline, the back-off and the dead letters.
resource "google_pubsub_subscription" "function" {
  for_each = local.called

  name                    = each.key
  topic                   = google_pubsub_topic.topic[each.value.trigger.topic].id
  ack_deadline_seconds    = each.value.trigger.ackDeadline
  enable_message_ordering = each.value.trigger.ordered

  push_config {
    push_endpoint = google_cloudfunctions2_function.function[each.key].service_config[0].uri

    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = google_cloudfunctions2_function.function[each.key].service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "${local.description.retry.minimumBackoff}s"
    maximum_backoff = "${local.description.retry.maximumBackoff}s"
  }

  # Whoever takes dead letters has nowhere to send them: they would come back.
  dynamic "dead_letter_policy" {
    for_each = each.value.trigger.topic == local.description.deadLetterTopic ? [] : [local.description.deadLetterTopic]

    content {
      dead_letter_topic     = google_pubsub_topic.topic[dead_letter_policy.value].id
      max_delivery_attempts = local.description.retry.attempts
    }
  }

  # Never: a lab may be on holiday.
  expiration_policy {
    ttl = ""
  }

  depends_on = [google_cloud_run_v2_service_iam_member.push, google_service_account_iam_member.push_token]
}

# Pub/Sub's own account puts them there, and takes them from where they could not be delivered.
# https://cloud.google.com/pubsub/docs/handling-failures#grant_forwarding_permissions
resource "google_pubsub_topic_iam_member" "dead_letters" {
  topic  = google_pubsub_topic.topic[local.description.deadLetterTopic].name
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letters" {
  for_each = { for name, function in local.called : name => function if function.trigger.topic != local.description.deadLetterTopic }

  subscription = google_pubsub_subscription.function[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

# By whose name Pub/Sub calls the functions. It may do nothing else.
resource "google_service_account" "push" {
  account_id   = "gazeline-push"
  display_name = "Gazeline: deliveries to functions"
  depends_on   = [google_project_service.needed]
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = local.called

  location = var.region
  name     = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.push.member
}

# Projects in which Pub/Sub is older than April 2021 need it.
# https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions#configure_for_push_authentication
resource "google_service_account_iam_member" "push_token" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}
