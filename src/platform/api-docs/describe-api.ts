import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { PROBLEMS } from '../errors/problem.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['post']>;

/** Of the API, which grows by its own rules, not of the program. */
const API_VERSION = '1';

/** The OpenAPI 3.1 document; the same for the same code, so that it can be committed and compared. */
export function describeApi(app: INestApplication): OpenAPIObject {
  const description = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Quartermaster')
    .setDescription(
      "Looks after a company's people's access and devices, and proves it. Errors are problem details (RFC 9457); " +
        'lists go on by cursor; updates need `If-Match` with the ETag of the last GET.',
    )
    .setVersion(API_VERSION)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'qm_…',
        description: 'An API token: `quartermaster token create`.',
      },
      'api-token',
    )
    .addCookieAuth(
      'quartermaster',
      {
        type: 'apiKey',
        in: 'cookie',
        description: 'Somebody who signed in at /sign-in, or by a link of `quartermaster sign-in-link`.',
      },
      'browser-session',
    )
    .build();
  const document = SwaggerModule.createDocument(app, description, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}.${method}`,
  });
  document.components = { ...document.components, schemas: { ...document.components?.schemas, Problem: PROBLEM } };
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
      const operation = item[method];
      if (!operation) continue;
      operation.responses.default ??= PROBLEM_RESPONSE;
      if (method === 'post' && path.startsWith('/v1/')) describeIdempotency(operation);
    }
  }
  return document;
}

function describeIdempotency(operation: Operation & { 'x-idempotency'?: string }): void {
  const idempotency = operation['x-idempotency'] ?? 'optional';
  if (idempotency === 'never-stored') return;
  operation.parameters = [
    ...(operation.parameters ?? []),
    {
      name: 'Idempotency-Key',
      in: 'header',
      required: idempotency === 'required',
      description: 'A retry with the same key and body gets the first answer again.',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    },
  ];
}

const PROBLEM_RESPONSE = {
  description: 'A problem (RFC 9457)',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

const PROBLEM: NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string] = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'instance'],
  properties: {
    type: {
      type: 'string',
      enum: Object.keys(PROBLEMS).map((kind) => `/problems/${kind}`),
      description: 'Stable for good.',
    },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What is wrong and what to do about it.' },
    instance: { type: 'string', description: "The request's id, as in the `X-Request-Id` header and the log." },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: {
          pointer: {
            type: 'string',
            description: 'JSON pointer into the body; into other parts below `/query`, `/path` or `/header`.',
          },
          detail: { type: 'string' },
        },
      },
    },
  },
};
