resource "google_cloud_scheduler_job" "clock" {
  for_each = { for name, function in local.functions : name => function if function.trigger.kind == "clock" }

  name      = each.key
  region    = var.region
  schedule  = each.value.trigger.schedule
  time_zone = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.topic[each.value.trigger.topic].id
    data       = base64encode("{}")
  }
}
