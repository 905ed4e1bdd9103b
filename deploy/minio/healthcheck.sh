#!/bin/bash
# MinIO's own liveness probe, without curl in the image.
set -euo pipefail

exec 3<>/dev/tcp/127.0.0.1/9000
printf 'GET /minio/health/live HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
read -r -t 2 status <&3
[[ $status == *' 200 '* ]]
