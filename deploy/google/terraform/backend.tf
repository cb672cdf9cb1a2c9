# Where Terraform remembers what it has made: a bucket that is named with
#
#   terraform init -backend-config=bucket=PROJECT-gazeline-terraform
#
# It holds no secret, but says everything about the lab's cloud, and is not for everybody to read.
terraform {
  backend "gcs" {
    prefix = "gazeline"
  }
}
