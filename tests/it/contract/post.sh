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
says() { grep -q -- "\"$1\": $2" answer.json || { echo "no $1 $2 in: $(cat answer.json)" >&2; exit 1; }; }
# Asks again until the answer says so; a minute of this machine is an hour of the sandbox's. Never without a bound.
until_is() {
  local end=$((SECONDS + 120)) wanted=$1 found
  shift
  while found=$(text "$@") && [ "$found" != "$wanted" ]; do
    [ $SECONDS -lt $end ] || { echo "still $found, not $wanted: $*" >&2; exit 1; }
  done
}
printf 'PK\005\006\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000' > code.zip

# --- what the post builds upon
A=$(text sts get-caller-identity --query Account --region $P)
ROLE=arn:aws:iam::$A:role/KDS-HA-Role
stream_arn() { echo "arn:aws:kinesis:$1:$A:stream/$S"; }
for R in $P $F; do
  ok kinesis create-stream --stream-name $S --shard-count 1 --region $R
  ok kinesis wait stream-exists --stream-name $S --region $R
  ok dynamodb create-table --table-name ticker-prices --billing-mode PAY_PER_REQUEST --region $R \
    --attribute-definitions AttributeName=ticker,AttributeType=S --key-schema AttributeName=ticker,KeyType=HASH
  says TableStatus '"CREATING"'
done
ok kinesis register-stream-consumer --stream-arn "$(stream_arn $P)" --consumer-name $S-EFO --region $P
says ConsumerStatus '"CREATING"'
C=$(text kinesis list-stream-consumers --stream-arn "$(stream_arn $P)" --region $P --query 'Consumers[0].ConsumerARN')
until_is ACTIVE kinesis describe-stream-consumer --consumer-arn "$C" --region $P \
  --query ConsumerDescription.ConsumerStatus
function_in() {
  ok lambda create-function --function-name "$2" --runtime python3.12 --role "$ROLE" --handler index.handler \
    --zip-file fileb://code.zip --environment "Variables={$3}" --region "$1"
  says State '"Pending"'
  ok lambda wait function-active-v2 --function-name "$2" --region "$1"
}
function_in $P KDS-HA-ProducerLambda "INPUT_STREAM=$S,PRODUCING_TO_REGION=$P"
function_in $P KDS-HA-ConsumerLambda TABLE=ticker-prices
function_in $P KDS-HA-ReplicationAgentLambda FAILOVER_REGION=$F
function_in $P KDS-HA-FailoverLambda FAILOVER_REGION=$F
function_in $F KDS-HA-ConsumerLambda TABLE=ticker-prices
mapping() {  # REGION FUNCTION SOURCE POSITION
  ok lambda create-event-source-mapping --function-name "$2" --batch-size 100 --region "$1" \
    --event-source-arn "$3" --starting-position "$4"
  says State '"Creating"'
}
uuid() { text lambda list-event-source-mappings --function-name "$2" --region "$1" --query 'EventSourceMappings[0].UUID'; }
enabled() { until_is Enabled lambda get-event-source-mapping --uuid "$(uuid "$1" "$2")" --region "$1" --query State; }
mapping $P KDS-HA-ConsumerLambda "$(stream_arn $P)" TRIM_HORIZON
mapping $P KDS-HA-ReplicationAgentLambda "$C" TRIM_HORIZON
enabled $P KDS-HA-ConsumerLambda
enabled $P KDS-HA-ReplicationAgentLambda

# A row of the table says in which Region its record was processed.
put() {  # REGION TICKER
  ok kinesis put-record --stream-name $S --partition-key "$2" --data "{\"ticker\": \"$2\", \"price\": 1.5}" --region "$1"
}
processed_in() {  # REGION TICKER
  until_is "$1" dynamodb get-item --table-name ticker-prices --key "{\"ticker\": {\"S\": \"$2\"}}" --region "$1" \
    --query Item.last_updated_region.S
}
producing_to() {
  until_is "$1" lambda get-function-configuration --function-name KDS-HA-ProducerLambda --region $P \
    --query Environment.Variables.PRODUCING_TO_REGION
}
put $P BEFORE
processed_in $P BEFORE

# --- fail over (how the post's function is called, and what it does)
# The post's --cli-binary-format is of version 2; version 1, the one on PyPI, sends every payload as it stands.
ok lambda invoke --function-name KDS-HA-FailoverLambda --payload '{}' response.json --region $P
grep -q '"region":"us-east-2"' response.json || { cat response.json answer.json >&2; exit 1; }
producing_to $F
ok lambda wait function-updated-v2 --function-name KDS-HA-ProducerLambda --region $P
ok lambda list-event-source-mappings --function-name KDS-HA-ConsumerLambda --region $F
says StartingPosition '"AT_TIMESTAMP"'
says EventSourceArn "\"$(stream_arn $F)\""
put $F AFTER
processed_in $F AFTER
for name in KDS-HA-ConsumerLambda KDS-HA-ReplicationAgentLambda; do
  until_is 0 lambda list-event-source-mappings --function-name $name --region $P --query 'length(EventSourceMappings)'
done

# --- fail back
mapping $P KDS-HA-ConsumerLambda "$(stream_arn $P)" LATEST
ok lambda update-function-configuration --function-name KDS-HA-ProducerLambda --region $P \
  --environment "Variables={INPUT_STREAM=$S,PRODUCING_TO_REGION=$P}"
says LastUpdateStatus '"InProgress"'
producing_to $P
ok cloudwatch get-metric-statistics --namespace AWS/Kinesis --metric-name GetRecords.IteratorAgeMilliseconds \
  --dimensions Name=StreamName,Value=$S --statistics Maximum --period 60 --region $F \
  --start-time 2026-01-01T00:00:00Z --end-time 2026-01-01T01:00:00Z
U=$(uuid $F KDS-HA-ConsumerLambda)
enabled $F KDS-HA-ConsumerLambda
ok lambda delete-event-source-mapping --uuid "$U" --region $F
says State '"Deleting"'
ok kinesis list-stream-consumers --stream-arn "$(stream_arn $P)" --region $P
says ConsumerARN "\"$C\""
mapping $P KDS-HA-ReplicationAgentLambda "$C" LATEST
ok dynamodb scan --table-name ticker-prices --region $F
# The standby starts five minutes back: a record that was replicated before may be there, too.
says Count '[12]'

# --- clean up
for name in KDS-HA-ConsumerLambda KDS-HA-ReplicationAgentLambda; do
  enabled $P $name
  ok lambda delete-event-source-mapping --uuid "$(uuid $P $name)" --region $P
done
until_is 0 lambda list-event-source-mappings --region $P --query 'length(EventSourceMappings)'
until_is 0 lambda list-event-source-mappings --region $F --query 'length(EventSourceMappings)'
for name in KDS-HA-ProducerLambda KDS-HA-ConsumerLambda KDS-HA-ReplicationAgentLambda KDS-HA-FailoverLambda; do
  ok lambda delete-function --function-name $name --region $P
done
ok lambda delete-function --function-name KDS-HA-ConsumerLambda --region $F
ok kinesis deregister-stream-consumer --consumer-arn "$C" --region $P
until_is 0 kinesis list-stream-consumers --stream-arn "$(stream_arn $P)" --region $P --query 'length(Consumers)'
for R in $P $F; do
  ok kinesis delete-stream --stream-name $S --region $R
  ok kinesis wait stream-not-exists --stream-name $S --region $R
  ok dynamodb delete-table --table-name ticker-prices --region $R
  says TableStatus '"DELETING"'
  ok dynamodb wait table-not-exists --table-name ticker-prices --region $R
done
