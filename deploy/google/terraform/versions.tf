terraform {
  # Values that are never kept (`ephemeral`, `…_wo`) came with 1.11.
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.0, < 8.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region

  # Budgets are asked for in the name of this project; without this, a person's own credentials are refused.
  billing_project       = var.project
  user_project_override = true

  default_labels = { gazeline = var.lab }
}
