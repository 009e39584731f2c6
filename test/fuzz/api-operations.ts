/** The keywords of JSON Schema that the description's requests use; another one is an error where it is met. */
export interface JsonSchema {
  type?: JsonType | JsonType[];
  enum?: unknown[];
  const?: unknown;
  oneOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  allOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  propertyNames?: JsonSchema;
  items?: JsonSchema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

type JsonType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: JsonSchema;
}

interface Answer {
  /** By media type; none: the answer has no body. */
  content: Readonly<Record<string, { schema?: JsonSchema }>>;
}

/** One route, as the OpenAPI document describes it. */
export interface ApiOperation {
  method: string;
  /** `/v1/people/{id}` */
  path: string;
  parameters: readonly Parameter[];
  body: { mediaType: string; schema: JsonSchema } | null;
  /** By status, or `default`. */
  answers: Readonly<Record<string, Answer>>;
  isPublic: boolean;
  /** The service asks a tool or a channel while the caller waits, and may have to tell that it failed. */
  callsOut: boolean;
  /** Not in the document: of its answers it is only known that none is a 5xx. */
  isUndescribed?: true;
}

interface RawOperation {
  parameters?: { name: string; in: string; required?: boolean; schema?: unknown }[];
  requestBody?: { content: Record<string, { schema?: unknown }> };
  responses: Record<string, { content?: Record<string, { schema?: JsonSchema }> }>;
  security?: Record<string, unknown>[];
}

export const CALLS_OUT =
  /^\/v1\/(tools\/\{id\}\/(check|computers|lockdown)|alert-channels\/\{id\}\/test|accounts\/\{id\}\/)/;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Every operation of an OpenAPI 3.1 document, as `SwaggerModule.createDocument` makes them. */
export function operationsOf(document: { paths: object }): ApiOperation[] {
  return Object.entries(document.paths as Record<string, Record<string, RawOperation>>).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const raw = item[method];
      if (!raw) return [];
      const [mediaType, body] = Object.entries(raw.requestBody?.content ?? {})[0] ?? [];
      return [
        {
          method: method.toUpperCase(),
          path,
          parameters: (raw.parameters ?? []).map((one) => ({
            name: one.name,
            in: one.in as Parameter['in'],
            required: one.required ?? false,
            schema: (one.schema ?? { type: 'string' }) as JsonSchema,
          })),
          body: mediaType && body ? { mediaType, schema: body.schema ?? {} } : null,
          answers: Object.fromEntries(
            Object.entries(raw.responses).map(([status, { content }]) => [status, { content: content ?? {} }]),
          ),
          // `{}` among the requirements: no sign-in is one of the ways in.
          callsOut: CALLS_OUT.test(path),
          isPublic: (raw.security ?? []).some((requirement) => Object.keys(requirement).length === 0),
        },
      ];
    }),
  );
}
