# What people are told of. Each alert says where to read on: docs/operations.md has a section for it.
locals {
  logs     = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for name in keys(local.functions) : "\"${name}\""])})"
  channels = [for channel in google_monitoring_notification_channel.mail : channel.id]
}

resource "google_monitoring_notification_channel" "mail" {
  for_each = var.notify

  type         = "email"
  display_name = "Gazeline: ${each.key}"
  labels       = { email_address = each.key }
  depends_on   = [google_project_service.needed]
}

# Log-based metrics: what functions say (shared/log.ts), counted.
resource "google_logging_metric" "failures" {
  name        = "gazeline/failures"
  description = "Deliveries that failed and come again"
  filter      = "${local.logs} AND jsonPayload.message=\"failed, and will be tried again\""
  depends_on  = [google_project_service.needed]

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    labels {
      key         = "function"
      value_type  = "STRING"
      description = "The name of the function"
    }
  }

  label_extractors = { function = "EXTRACT(jsonPayload.function)" }
}

resource "google_logging_metric" "unprocessable" {
  name        = "gazeline/unprocessable"
  description = "Inputs that can never work, put aside in the state bucket below problems/"
  filter      = "${local.logs} AND jsonPayload.message=\"unprocessable\""
  depends_on  = [google_project_service.needed]

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    labels {
      key         = "function"
      value_type  = "STRING"
      description = "The name of the function"
    }
  }

  label_extractors = { function = "EXTRACT(jsonPayload.function)" }
}

resource "google_logging_metric" "dead_letters" {
  name        = "gazeline/dead_letters"
  description = "Messages that no function could work on, kept in the state bucket"
  filter      = "${local.logs} AND jsonPayload.message=\"a message was given up; npx gazeline dead-letters shows it\""
  depends_on  = [google_project_service.needed]

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    labels {
      key         = "of"
      value_type  = "STRING"
      description = "The function that it was for"
    }
  }

  label_extractors = { of = "EXTRACT(jsonPayload.of)" }
}

resource "google_logging_metric" "sync_lag" {
  name            = "gazeline/sync_lag"
  description     = "From a change in Drive to the object in the raw bucket"
  filter          = "${local.logs} AND jsonPayload.message=\"caught up\""
  value_extractor = "EXTRACT(jsonPayload.lag)"
  depends_on      = [google_project_service.needed]

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "ms"
  }

  bucket_options {
    exponential_buckets {
      num_finite_buckets = 24
      growth_factor      = 2
      scale              = 100
    }
  }
}

resource "google_logging_metric" "guard_level" {
  name        = "gazeline/guard_level"
  description = "The budget guard has gone to another level"
  filter      = "${local.logs} AND jsonPayload.message=\"the budget guard is at another level\""
  depends_on  = [google_project_service.needed]

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    labels {
      key         = "level"
      value_type  = "STRING"
      description = "open, warned, no-new-work, stop-idle, stop-all or detached"
    }
  }

  label_extractors = { level = "EXTRACT(jsonPayload.level)" }
}

resource "google_monitoring_alert_policy" "dead_letters" {
  display_name          = "Gazeline: dead letters"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "Something could not be delivered in ${local.description.retry.attempts} tries"

    condition_threshold {
      filter          = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.dead_letters.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.labels.of"]
      }
    }
  }

  # Who keeps them may be what fails.
  conditions {
    display_name = "Dead letters wait to be kept"

    condition_threshold {
      filter          = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.function["dead-letter"].name}\" AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      comparison      = "COMPARISON_GT"
      threshold_value = 3600
      duration        = "0s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "`npx gazeline dead-letters` shows them, and sends them again. See *Dead letters* in docs/operations.md."
  }
}

resource "google_monitoring_alert_policy" "sync_lag" {
  display_name          = "Gazeline: the sync lags behind"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "Changes wait for more than half an hour"

    condition_threshold {
      filter          = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = one_of(\"drive-feed\", \"file-sync\") AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1800
      duration        = "300s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_MAX"
        group_by_fields      = ["resource.labels.subscription_id"]
      }
    }
  }

  conditions {
    display_name = "Half of what arrives took more than a quarter of an hour"

    condition_threshold {
      filter          = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.sync_lag.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 900000
      duration        = "900s"

      aggregations {
        alignment_period     = "900s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_PERCENTILE_50"
      }
    }
  }

  # It polls every five minutes, whatever happens.
  conditions {
    display_name = "drive-tick has not been heard of for half an hour"

    condition_absent {
      filter   = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.function["drive-tick"].name}\" AND metric.type = \"pubsub.googleapis.com/subscription/push_request_count\" AND metric.labels.response_class = \"ack\""
      duration = "1800s"

      aggregations {
        alignment_period     = "600s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "The raw bucket is behind the study folder. Nothing is lost: it is made up for. See *The sync lags behind* in docs/operations.md."
  }
}

resource "google_monitoring_alert_policy" "failures" {
  display_name          = "Gazeline: a function fails"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "More than ten failures in ten minutes"

    condition_threshold {
      filter          = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.failures.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 10
      duration        = "0s"

      aggregations {
        alignment_period     = "600s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.labels.function"]
      }
    }
  }

  conditions {
    display_name = "Something can never be processed"

    condition_threshold {
      filter          = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.unprocessable.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "600s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.labels.function"]
      }
    }
  }

  # Also what a function cannot say itself: it does not start, or has no memory left.
  conditions {
    display_name = "More than twenty answers of 500 and above in ten minutes"

    condition_threshold {
      filter          = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = one_of(${join(", ", [for name in keys(local.functions) : "\"${name}\""])}) AND metric.type = \"run.googleapis.com/request_count\" AND metric.labels.response_code_class = \"5xx\" AND metric.labels.response_code != \"503\""
      comparison      = "COMPARISON_GT"
      threshold_value = 20
      duration        = "0s"

      aggregations {
        alignment_period     = "600s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.labels.service_name"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Error Reporting has the stack. What failed comes again by itself, up to ${local.description.retry.attempts} times. See *A function fails* in docs/operations.md."
  }
}

resource "google_monitoring_alert_policy" "guard_level" {
  display_name          = "Gazeline: the budget guard acts"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels

  conditions {
    display_name = "No new work, or machines are stopped"

    condition_threshold {
      filter          = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.guard_level.name}\" AND metric.labels.level = one_of(\"no-new-work\", \"stop-idle\", \"stop-all\", \"detached\")"
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.labels.level"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "`npx gazeline guard show` says why, and how to go on. See *The budget guard acts* in docs/operations.md."
  }
}
