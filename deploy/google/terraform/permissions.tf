# A role for each function and each place, with exactly what `deploy/google/permissions.ts` says that its code calls.
locals {
  grants = merge([
    for name, function in local.functions : {
      for on, permissions in function.grants : "${name} ${on}" => { function = name, on = on, permissions = permissions }
    }
  ]...)

  # What may not be needed at all.
  given = {
    for key, grant in local.grants : key => grant
    if(grant.on != "billing" || var.detach_billing)
    && (grant.on != "leftovers" || contains(keys(var.settings), "GAZELINE_IDLE_DELETE_AFTER"))
  }

  role_ids = { for key, grant in local.given : key => "gazeline.${replace(grant.function, "-", "_")}.${grant.on}" }
  roles    = { for key, id in local.role_ids : key => "projects/${var.project}/roles/${id}" }

  # Its jobs' machines and their disks, by the names that they are given (shared/machines/names.ts).
  # https://cloud.google.com/iam/docs/conditions-attribute-reference#resource-name
  conditions = {
    machines = {
      title      = "Gazeline's own machines"
      expression = "resource.name.extract(\"/instances/{name}\").startsWith(\"gazeline-\") || resource.name.extract(\"/disks/{name}\").startsWith(\"gazeline-\")"
    }
  }
}

resource "google_project_iam_custom_role" "function" {
  for_each = local.given

  role_id     = local.role_ids[each.key]
  title       = "Gazeline: ${each.key}"
  description = "What ${each.value.function} does with ${each.value.on}"
  permissions = each.value.permissions
  depends_on  = [google_project_service.needed]
}

resource "google_storage_bucket_iam_member" "function" {
  for_each = { for key, grant in local.given : key => grant if contains(["raw", "derived", "state"], grant.on) }

  bucket = {
    raw     = google_storage_bucket.raw.name
    derived = google_storage_bucket.derived.name
    state   = google_storage_bucket.state.name
  }[each.value.on]
  role       = local.roles[each.key]
  member     = google_service_account.function[each.value.function].member
  depends_on = [google_project_iam_custom_role.function]
}

resource "google_project_iam_member" "function" {
  for_each = { for key, grant in local.given : key => grant if contains(["project", "machines", "billing", "leftovers"], grant.on) }

  project    = var.project
  role       = local.roles[each.key]
  member     = google_service_account.function[each.value.function].member
  depends_on = [google_project_iam_custom_role.function]

  dynamic "condition" {
    for_each = [for on, condition in local.conditions : condition if on == each.value.on]

    content {
      title      = condition.value.title
      expression = condition.value.expression
    }
  }
}

resource "google_service_account_iam_member" "function" {
  for_each = { for key, grant in local.given : key => grant if contains(["machineAccount", "driveAccount", "itself"], grant.on) }

  service_account_id = "projects/${var.project}/serviceAccounts/${ {
    driveAccount   = google_service_account.drive.email
    machineAccount = google_service_account.machines.email
    itself         = google_service_account.function[each.value.function].email
  }[each.value.on]}"
  role       = local.roles[each.key]
  member     = google_service_account.function[each.value.function].member
  depends_on = [google_project_iam_custom_role.function]
}

resource "google_secret_manager_secret_iam_member" "function" {
  for_each = { for key, grant in local.given : key => grant if grant.on == "channelSecret" }

  secret_id  = google_secret_manager_secret.channel.secret_id
  role       = local.roles[each.key]
  member     = google_service_account.function[each.value.function].member
  depends_on = [google_project_iam_custom_role.function]
}

# `roles/pubsub.publisher` is `pubsub.topics.publish` and nothing else.
resource "google_pubsub_topic_iam_member" "function" {
  for_each = merge([
    for name, function in local.functions : {
      for topic in function.publishes : "${name} ${topic}" => { function = name, topic = topic }
    }
  ]...)

  topic  = google_pubsub_topic.topic[each.value.topic].name
  role   = "roles/pubsub.publisher"
  member = google_service_account.function[each.value.function].member
}
