# The functions count what they pay for and stop at a daily ceiling (GAZELINE_VISION_UNITS_PER_DAY). This is for the day on
# which they are wrong.
resource "google_cloud_quotas_quota_preference" "cap" {
  for_each = var.quota_caps

  parent   = "projects/${var.project}"
  name     = "gazeline-${each.key}"
  service  = each.value.service
  quota_id = each.value.quota_id

  quota_config {
    preferred_value = each.value.value
  }

  # Less than a tenth of the usual is what is wanted.
  ignore_safety_checks = "QUOTA_DECREASE_PERCENTAGE_TOO_HIGH"
  depends_on           = [google_project_service.needed]
}
