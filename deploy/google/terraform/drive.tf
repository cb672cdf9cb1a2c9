# Whom the study folder is shared with. All functions that read Drive do so in this one name, for a few minutes at a time:
# one address to share with, one user for Drive's quota, and no other function can read the folder.
resource "google_service_account" "drive" {
  account_id   = "gazeline-drive"
  display_name = "Gazeline: the study folder is shared with me"
  depends_on   = [google_project_service.needed]
}
