/** Every route that anybody may call. The service doesn't start when these aren't exactly its public ones. */
export const PUBLIC_ROUTES: readonly string[] = [
  'GET /health/live',
  'GET /health/ready',
  'GET /openapi.json',
  // Files of the user interface, which hold nothing of anybody.
  'GET /',
  'GET /app',
  'GET /app/*path',
  'GET /app/assets/:file',
  'GET /docs',
  'GET /docs/:file',
  'GET /sign-in',
  'GET /sign-in/oidc',
  'GET /sign-in/oidc/callback',
  'GET /sign-in/:token',
  'POST /sign-in/:token',
  'POST /sign-out',
  // Signed by the provider.
  'POST /sign-in/oidc/back-channel-logout',
  // Signed by the sender.
  'POST /hooks/hr/:source',
  'POST /hooks/tools/:tool',
  // Opened by the agent itself, with its batch's secret and then with a key of its own.
  'POST /v1/osquery/enroll',
  'POST /v1/osquery/config',
  'POST /v1/osquery/log',
  'POST /v1/osquery/distributed/read',
  'POST /v1/osquery/distributed/write',
  // Opened by a device's own reporter, with the token of that device.
  'POST /v1/reporters/observations',
  'POST /v1/reporters/recovery-keys',
  'POST /v1/reporters/recovery-keys/wanted',
  // Opened by the person whose credential it is, with the one-time token in the link.
  'GET /credential-links/:token',
  'POST /credential-links/:token',
  // Opened by whoever lost their laptop, from any telephone: with a code that they were given, or to be called back.
  'GET /lost',
  'POST /lost/code',
  'POST /lost/confirm',
  'POST /lost/report',
  // Opened by whom a step was sent to, with the one-time token in the link.
  'GET /task-links/:token',
  'POST /task-links/:token',
  // Opened by whoever was given a device, to sign for it.
  'GET /acknowledgement-links/:token',
  'POST /acknowledgement-links/:token',
];
