# Doors for other machines speak TLS and ask who comes; those on loopback stay as they are.

needs openssl
certificate $TMP/tls
with --overlay $HERE/overlays/listen
start

# The gateway: a key, over TLS.
POST $OUTSIDE_GATEWAY/test/topics/guest
  x-api-key: letmein
  {"records": [{"value": {"a": 1}}]}
-> 200
  {"offsets": [{"partition": 0, "offset": 0}]}
POST $OUTSIDE_GATEWAY/test/topics/guest
  {"records": [{"value": {"a": 1}}]}
-> 403
  {"message": "Forbidden"}

# The console: the token, as a browser or a program brings it; health is open to a load balancer.
GET $OUTSIDE_CONSOLE/api/v1
-> 401
GET $OUTSIDE_CONSOLE/livez
-> 200
cli env -o json
keep TOKEN "PINPIPE_TOKEN",\s*"value":\s*"([^"]+)"
GET $OUTSIDE_CONSOLE/api/v1
  Authorization: Bearer $TOKEN
-> 200
  ~ /api/v1/topic/list
GET $CONSOLE/api/v1
-> 200

# S3: a signature.
GET $OUTSIDE_AWS/
-> 403
  ~ AccessDenied

# Kafka, unprotected as the project says.
kcat -b $OUTSIDE_KAFKA -C -t guest -e -q
-> 0
  ~ "a":1
stop

# A certificate that is none is named.
write $TMP/tls/cert.pem
  nothing of use
start
-> 3
  ! cert.pem
