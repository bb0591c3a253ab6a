#!/usr/bin/env bash
# The commands of the post, each as it stands there, with what it builds upon, by the AWS CLI in an empty account.
#
#   AWS_ENDPOINT_URL=... post.sh AWS      prints `ok COMMAND` a command; ends at the first that is refused
#
# The post: "Build highly available streams with Amazon Kinesis Data Streams", AWS Big Data Blog.
set -euo pipefail
AWS=$1 P=us-west-2 F=us-east-2 S=KDS-HA-Stream
cd "$(mktemp -d)" && trap 'rm -rf "$PWD"' EXIT
ok() { "$AWS" --output json "$@" > answer.json; echo "ok $1 $2"; }
text() { "$AWS" --output text "$@"; }
printf 'PK\005\006\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000' > code.zip

# --- what the post builds upon
A=$(text sts get-caller-identity --query Account --region $P)
ROLE=arn:aws:iam::$A:role/KDS-HA-Role
for R in $P $F; do
  ok kinesis create-stream --stream-name $S --shard-count 1 --region $R
  ok kinesis wait stream-exists --stream-name $S --region $R
  ok dynamodb create-table --table-name ticker-prices --billing-mode PAY_PER_REQUEST --region $R \
    --attribute-definitions AttributeName=ticker,AttributeType=S --key-schema AttributeName=ticker,KeyType=HASH
done
ok kinesis register-stream-consumer --stream-arn arn:aws:kinesis:$P:$A:stream/$S --consumer-name $S-EFO --region $P
function_in() {
  ok lambda create-function --function-name "$2" --runtime python3.12 --role "$ROLE" --handler index.handler \
    --zip-file fileb://code.zip --environment "Variables={INPUT_STREAM=$S,PRODUCING_TO_REGION=$P}" --region "$1"
  ok lambda wait function-active-v2 --function-name "$2" --region "$1"
}
for name in KDS-HA-ProducerLambda KDS-HA-ConsumerLambda KDS-HA-ReplicationAgentLambda KDS-HA-FailoverLambda; do
  function_in $P $name
done
function_in $F KDS-HA-ConsumerLambda

# --- fail over (what the post's function does, and how it is called)
ok lambda invoke --function-name KDS-HA-FailoverLambda --payload '{}' response.json --region $P
ok lambda update-function-configuration --function-name KDS-HA-ProducerLambda --region $P \
  --environment "Variables={INPUT_STREAM=$S,PRODUCING_TO_REGION=$F}"
ok lambda wait function-updated-v2 --function-name KDS-HA-ProducerLambda --region $P
ok lambda create-event-source-mapping --function-name KDS-HA-ConsumerLambda --batch-size 100 --region $F \
  --event-source-arn arn:aws:kinesis:$F:$A:stream/$S --starting-position AT_TIMESTAMP \
  --starting-position-timestamp "$(text kinesis describe-stream-summary --stream-name $S --region $F \
    --query StreamDescriptionSummary.StreamCreationTimestamp)"

# --- fail back
ok lambda create-event-source-mapping --function-name KDS-HA-ConsumerLambda --batch-size 100 --region $P \
  --event-source-arn arn:aws:kinesis:$P:$A:stream/$S --starting-position LATEST
ok lambda update-function-configuration --function-name KDS-HA-ProducerLambda --region $P \
  --environment "Variables={INPUT_STREAM=$S,PRODUCING_TO_REGION=$P}"
ok cloudwatch get-metric-statistics --namespace AWS/Kinesis --metric-name GetRecords.IteratorAgeMilliseconds \
  --dimensions Name=StreamName,Value=$S --statistics Maximum --period 60 --region $F \
  --start-time 2026-01-01T00:00:00Z --end-time 2026-01-01T01:00:00Z
U=$(text lambda list-event-source-mappings --region $F --query 'EventSourceMappings[0].UUID')
while [ "$(text lambda get-event-source-mapping --uuid "$U" --region $F --query State)" = Creating ]; do :; done
ok lambda delete-event-source-mapping --uuid "$U" --region $F
C=$(text kinesis list-stream-consumers --stream-arn arn:aws:kinesis:$P:$A:stream/$S --region $P \
  --query 'Consumers[0].ConsumerARN')
ok lambda create-event-source-mapping --function-name KDS-HA-ReplicationAgentLambda --batch-size 100 --region $P \
  --event-source-arn "$C" --starting-position LATEST
ok dynamodb scan --table-name ticker-prices --region $P
grep -q '"Count": 0' answer.json
