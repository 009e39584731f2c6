/** Every route that anybody may call. The service doesn't start when these aren't exactly its public ones. */
export const PUBLIC_ROUTES: readonly string[] = [
  'GET /health/live',
  'GET /health/ready',
  'GET /openapi.json',
  'GET /docs',
  'GET /docs/:file',
  'GET /sign-in/:token',
  'POST /sign-in/:token',
  // Signed by the sender.
  'POST /hooks/hr/:source',
  'POST /hooks/tools/:tool',
  // Opened by the person whose credential it is, with the one-time token in the link.
  'GET /credential-links/:token',
  'POST /credential-links/:token',
];
