resource "google_secret_manager_secret" "channel" {
  secret_id  = "gazeline-channel-secret"
  depends_on = [google_project_service.needed]

  # Not outside of the region that the lab chose.
  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
}

# Sent and forgotten: neither the plan nor Terraform's state has it.
resource "google_secret_manager_secret_version" "channel" {
  secret                 = google_secret_manager_secret.channel.id
  secret_data_wo         = var.channel_secret
  secret_data_wo_version = var.channel_secret_version

  # Instances that start meanwhile ask for the one before.
  lifecycle {
    create_before_destroy = true
  }
}
