variable "project" {
  description = "The Google Cloud project that everything lives in: its id."
  type        = string
}

variable "region" {
  description = "Where the functions run and the buckets are. Example: europe-west4."
  type        = string
}

variable "study_folder" {
  description = "The Drive id of the study folder: the last part of its link."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{5,200}$", var.study_folder))
    error_message = "Expected the id at the end of the folder's link."
  }
}

variable "shared_drive" {
  description = "The id of the shared drive that the study folder is in; empty if it is in somebody's My Drive."
  type        = string
  default     = ""
}

variable "lab" {
  description = "The name of this installation, on labels and machines."
  type        = string
  default     = "gazeline"

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,40}[a-z0-9])?$", var.lab))
    error_message = "Expected lower-case letters, digits and -."
  }
}

variable "packages" {
  description = "The folder with a zip for each function, as `npm run package` makes it: drive-feed.zip and so on."
  type        = string
  default     = "../../../build/packages"
}

variable "buckets" {
  description = "Other names for the buckets than PROJECT-gazeline-raw and so on."
  type = object({
    raw     = optional(string)
    derived = optional(string)
    state   = optional(string)
  })
  default = {}
}

variable "public_webhook" {
  description = "Whether Drive may call drive-webhook. Without it, changes are polled every five minutes."
  type        = bool
  default     = true
}

variable "channel_secret" {
  description = "Signs the tokens of push channels. Never kept: it is only looked at when channel_secret_version rises."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = length(var.channel_secret) >= 16
    error_message = "Expected at least 16 characters, as `openssl rand -base64 32` prints."
  }
}

variable "channel_secret_version" {
  description = "Raise it by one to replace the secret."
  type        = number
  default     = 1
}

variable "billing_account" {
  description = "The billing account, 012345-567890-ABCDEF; without it no budget is made, and the guard knows estimates only."
  type        = string
  default     = ""
}

variable "budget" {
  description = "What the lab may spend in a month, in the currency of the billing account."
  type = object({
    amount   = number
    currency = optional(string, "USD")
  })
  default = { amount = 50 }
}

variable "detach_billing" {
  description = "Whether the budget guard may take the project from its billing account when all else has failed. It stops everything."
  type        = bool
  default     = false
}

variable "people" {
  description = "Who may call the API and read what is in the buckets, by a short name. Example: { ada = \"user:ada@uni.example\" }."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.people) : can(regex("^[a-z][-a-z0-9]{0,14}[a-z0-9]$", name))])
    error_message = "A short name has 2 to 16 lower-case letters, digits and -."
  }

  validation {
    condition     = alltrue([for member in values(var.people) : can(regex("^(user|group):[^@: ]+@[^@ ]+$", member))])
    error_message = "Expected user:ada@uni.example or group:lab@uni.example."
  }
}

variable "roles" {
  description = "What people may do with the API, by their short names: a reader looks, a runner starts work, an admin changes the budget guard and agrees to removals. Who is not here is a runner. Example: { ada = \"admin\" }."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for role in values(var.roles) : contains(["reader", "runner", "admin"], role)])
    error_message = "A role is reader, runner or admin."
  }

  validation {
    condition     = alltrue([for name in keys(var.roles) : contains(keys(var.people), name)])
    error_message = "Somebody has a role and is not among the people."
  }
}

variable "notify" {
  description = "The addresses that alerts go to."
  type        = set(string)
  default     = []
}

variable "settings" {
  description = "More variables of the functions (shared/config.ts). Example: { GAZELINE_EXCLUDE = \"*.tmp\" }."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.settings) : startswith(name, "GAZELINE_") && name != "GAZELINE_CHANNEL_SECRET"])
    error_message = "Each name begins with GAZELINE_, and the secret is not among them."
  }
}

variable "quota_caps" {
  description = "What Google is to refuse above, whatever the functions think. The ids: `gcloud beta quotas info list --service=vision.googleapis.com --project=PROJECT`."
  type = map(object({
    service  = string
    quota_id = string
    value    = number
  }))
  default = {}
}

variable "keep_derived_days" {
  description = "Days after which what was computed is deleted; 0 for never."
  type        = number
  default     = 0
}

variable "delete_data" {
  description = "Whether `destroy` may delete buckets that hold something."
  type        = bool
  default     = false
}

variable "repository" {
  description = "A repository of Cloud Build, projects/P/locations/R/connections/C/repositories/N, whose main branch is applied; empty for none."
  type        = string
  default     = ""
}
