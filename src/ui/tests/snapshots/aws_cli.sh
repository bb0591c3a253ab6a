# kinesis:AddTagsToStream: tag stream KDS-HA-Stream: kdsha:emergency=2026-11-22T10:22:00Z kdsha:intent=failover kdsha:owner=maria@laptop kdsha:position=2026-11-22T10:35:55Z kdsha:run=20261122-104501-failover-us-east-2-3f9a kdsha:started=2026-11-22T10:45:01Z kdsha:state=open
aws kinesis add-tags-to-stream --region us-east-2 --stream-name KDS-HA-Stream --tags '{"kdsha:emergency":"2026-11-22T10:22:00Z","kdsha:intent":"failover","kdsha:owner":"maria@laptop","kdsha:position":"2026-11-22T10:35:55Z","kdsha:run":"20261122-104501-failover-us-east-2-3f9a","kdsha:started":"2026-11-22T10:45:01Z","kdsha:state":"open"}'

# lambda:CreateEventSourceMapping: create mapping KDS-HA-Stream -> KDS-HA-ConsumerLambda, disabled, AT_TIMESTAMP 2026-11-22T10:35:55Z
SOURCE=arn:aws:kinesis:us-east-2:123456789012:stream/KDS-HA-Stream
aws lambda create-event-source-mapping --region us-east-2 \
  --function-name KDS-HA-ConsumerLambda --event-source-arn "$SOURCE" --no-enabled \
  --starting-position AT_TIMESTAMP --starting-position-timestamp 1795343755 \
  --batch-size 100 --maximum-batching-window-in-seconds 0 \
  --parallelization-factor 1 --no-bisect-batch-on-function-error \
  --maximum-record-age-in-seconds -1 --maximum-retry-attempts -1

# lambda:UpdateFunctionConfiguration: set INPUT_STREAM=KDS-HA-Stream PRODUCING_TO_REGION=us-east-2 in KDS-HA-ProducerLambda
umask 077   # these files hold every value of the function's environment
aws lambda get-function-configuration --region us-west-2 --function-name KDS-HA-ProducerLambda > KDS-HA-ProducerLambda.json
jq 'if .LastUpdateStatus == "Successful" and (.Environment.Error | not) then {Variables: ((.Environment.Variables // {}) + {"INPUT_STREAM":"KDS-HA-Stream","PRODUCING_TO_REGION":"us-east-2"})} else error("not safe to write now") end' KDS-HA-ProducerLambda.json > KDS-HA-ProducerLambda.env.json &&
aws lambda update-function-configuration --region us-west-2 --function-name KDS-HA-ProducerLambda --environment file://KDS-HA-ProducerLambda.env.json --query RevisionId \
  --revision-id "$(jq -r .RevisionId KDS-HA-ProducerLambda.json)"
aws lambda wait function-updated-v2 --region us-west-2 --function-name KDS-HA-ProducerLambda
aws lambda get-function-configuration --region us-west-2 --function-name KDS-HA-ProducerLambda | jq '.Environment.Variables | {"INPUT_STREAM", "PRODUCING_TO_REGION"}'
rm KDS-HA-ProducerLambda.json KDS-HA-ProducerLambda.env.json

# lambda:CreateEventSourceMapping: create mapping KDS-HA-Stream/KDS-HA-EFO -> KDS-HA-ConsumerLambda, enabled, TRIM_HORIZON
SOURCE=$(aws kinesis describe-stream-consumer --region us-east-2 --stream-arn arn:aws:kinesis:us-east-2:123456789012:stream/KDS-HA-Stream --consumer-name KDS-HA-EFO --query ConsumerDescription.ConsumerARN --output text)
aws lambda create-event-source-mapping --region us-east-2 \
  --function-name KDS-HA-ConsumerLambda --event-source-arn "$SOURCE" --enabled \
  --starting-position TRIM_HORIZON \
  --batch-size 100 --maximum-batching-window-in-seconds 0 \
  --parallelization-factor 1 --bisect-batch-on-function-error \
  --maximum-record-age-in-seconds 3600 --maximum-retry-attempts 5 \
  --destination-config '{"OnFailure":{"Destination":"arn:aws:sqs:us-east-2:123456789012:it'\''s"}}' \
  --function-response-types ReportBatchItemFailures \
  --tumbling-window-in-seconds 30 \
  --filter-criteria '{"Filters":[{"Pattern":"{\"data\":{\"a\":[1]}}"}]}' \
  --kms-key-arn arn:aws:kms:us-east-2:123456789012:key/1 \
  --metrics-config '{"Metrics":["EventCount"]}'

# lambda:UpdateEventSourceMapping: disable mapping KDS-HA-Stream/KDS-HA-EFO -> KDS-HA-ConsumerLambda
SOURCE=$(aws kinesis describe-stream-consumer --region us-east-2 --stream-arn arn:aws:kinesis:us-east-2:123456789012:stream/KDS-HA-Stream --consumer-name KDS-HA-EFO --query ConsumerDescription.ConsumerARN --output text)
aws lambda list-event-source-mappings --region us-east-2 --function-name KDS-HA-ConsumerLambda --event-source-arn "$SOURCE" |
  jq -r '.EventSourceMappings[] | [.UUID, .State, .FunctionArn] | @tsv'
# exactly one line must come; with none or several, stop here
UUID=...   # the id in that line
aws lambda update-event-source-mapping --region us-east-2 --uuid "$UUID" --no-enabled

# lambda:DeleteEventSourceMapping: delete mapping KDS-HA-Stream -> KDS-HA-ConsumerLambda
ACCOUNT=$(aws sts get-caller-identity --region us-east-2 --query Account --output text)
SOURCE=arn:aws:kinesis:us-east-2:$ACCOUNT:stream/KDS-HA-Stream
aws lambda list-event-source-mappings --region us-east-2 --function-name KDS-HA-ConsumerLambda --event-source-arn "$SOURCE" |
  jq -r '.EventSourceMappings[] | [.UUID, .State, .FunctionArn] | @tsv'
# exactly one line must come; with none or several, stop here
UUID=...   # the id in that line
aws lambda delete-event-source-mapping --region us-east-2 --uuid "$UUID"

# lambda:PublishVersion: publish a version of KDS-HA-ConsumerLambda
REVISION=$(aws lambda get-function-configuration --region us-east-2 --function-name KDS-HA-ConsumerLambda --query RevisionId --output text)
VERSION=$(aws lambda publish-version --region us-east-2 --function-name KDS-HA-ConsumerLambda --query Version --output text \
  --revision-id "$REVISION")

# lambda:UpdateAlias: move alias KDS-HA-ConsumerLambda:live to the new version
VERSION=$(aws lambda list-versions-by-function --region us-east-2 --function-name KDS-HA-ConsumerLambda |
  jq -r '[.Versions[].Version | select(. != "$LATEST") | tonumber] | max')
aws lambda get-function-configuration --region us-east-2 --function-name KDS-HA-ConsumerLambda --qualifier "$VERSION" | jq '.Environment.Variables | {"INPUT_STREAM", "PRODUCING_TO_REGION"}'
# it must say INPUT_STREAM=KDS-HA-Stream PRODUCING_TO_REGION=us-east-2; otherwise stop here
REVISION=$(aws lambda get-alias --region us-east-2 --function-name KDS-HA-ConsumerLambda --name live --query RevisionId --output text)
aws lambda update-alias --region us-east-2 --function-name KDS-HA-ConsumerLambda --name live \
  --function-version "$VERSION" --revision-id "$REVISION"

