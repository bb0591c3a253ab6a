"""Makes an IAM user whose only rights are the policy on standard input, and prints a key of its.

    python hire.py [NAME] < policy.json
"""

import sys

from common import answer, client

name = sys.argv[1] if len(sys.argv) > 1 else "kdsha"
iam = client("iam", "us-east-1")
iam.create_user(UserName=name)
iam.put_user_policy(UserName=name, PolicyName="kdsha", PolicyDocument=sys.stdin.read())
key = iam.create_access_key(UserName=name)["AccessKey"]
answer({"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]})
