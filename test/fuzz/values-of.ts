import fc from 'fast-check';
import type { JsonSchema } from './api-operations.js';

/** Values that the schema can't tell of, by the property's or parameter's name: what there is when they are drawn. */
export type Hints = (name: string) => readonly unknown[];

const LONGEST = 60;

/** Values that the schema allows. Throws for a keyword that it doesn't know: a wrong value would pass for a valid one. */
export function valuesOf(schema: JsonSchema, hints: Hints, name = ''): fc.Arbitrary<unknown> {
  const plain = plainValues(schema, hints, name);
  // Looked up when it is drawn: what is known grows while the fuzz runs.
  return fc.tuple(fc.nat(9), fc.nat(), plain).map(([chance, index, value]) => {
    // What is known of a list's name is known of its elements.
    const known = chance === 0 || schema.type === 'array' ? [] : hints(name);
    return known.length > 0 ? known[index % known.length] : value;
  });
}

function plainValues(schema: JsonSchema, hints: Hints, name: string): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return fc.oneof(...choices.map((one) => valuesOf(one, hints, name)));
  if (Array.isArray(schema.type)) {
    return fc.oneof(...schema.type.map((type) => plainValues({ ...schema, type }, hints, name)));
  }
  switch (schema.type) {
    case 'string':
      return strings(schema);
    case 'integer':
      return fc.integer({ min: whole(schema.minimum, -1_000_000), max: whole(schema.maximum, 1_000_000) });
    case 'number':
      return fc.double({ min: schema.minimum ?? -1e6, max: schema.maximum ?? 1e6, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}, hints, name), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 5, 5),
      });
    case 'object':
      return objects(schema, hints);
    case undefined:
      if (Object.keys(schema).some((key) => !['description', 'default'].includes(key))) {
        throw new Error(`the fuzz knows no values of ${JSON.stringify(schema)}: teach values-of.ts`);
      }
      return fc.jsonValue({ maxDepth: 2 });
    default:
      throw new Error(`the fuzz knows no values of the type ${JSON.stringify(schema.type)}: teach values-of.ts`);
  }
}

function whole(limit: number | undefined, otherwise: number): number {
  return Math.max(-2_147_483_648, Math.min(2_147_483_647, limit ?? otherwise));
}

function objects(schema: JsonSchema, hints: Hints): fc.Arbitrary<unknown> {
  const properties = schema.properties ?? {};
  if (Object.keys(properties).length === 0 && typeof schema.additionalProperties === 'object') {
    return fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), valuesOf(schema.additionalProperties, hints), {
      maxKeys: 4,
    });
  }
  return fc.record(
    Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, valuesOf(value, hints, key)])),
    { requiredKeys: schema.required ?? [] },
  );
}

function strings({ format, pattern, minLength = 0, maxLength = Infinity }: JsonSchema): fc.Arbitrary<string> {
  const [from, to] = [minLength, Math.max(minLength, Math.min(maxLength, LONGEST))];
  const fits = (text: string): boolean => text.length >= from && text.length <= maxLength;
  switch (format) {
    case 'uuid':
      return fc.uuid();
    case 'date-time':
      return dates().map((date) => date.toISOString());
    case 'date':
      return dates().map((date) => date.toISOString().slice(0, 10));
    case 'uri':
      return fc.constantFrom('http://127.0.0.1:9', 'https://127.0.0.1:9/path?query', 'https://localhost:9/#fragment');
    case 'email':
      return fc.stringMatching(/^[a-z]{1,9}(\.[a-z0-9]{1,9})?@(acme\.example|[a-z]{2,9}\.invalid)$/);
    default:
      if (pattern) return fc.stringMatching(new RegExp(pattern, 'u')).filter(fits);
      return fc
        .oneof(
          fc.string({ minLength: from, maxLength: to }),
          fc.string({ minLength: from, maxLength: to, unit: 'grapheme' }),
        )
        .filter(fits);
  }
}

/** Far ones too: four digits of a year are all that the formats allow. */
function dates(): fc.Arbitrary<Date> {
  const between = (min: string, max: string) =>
    fc.date({ min: new Date(min), max: new Date(max), noInvalidDate: true });
  return fc.oneof(
    { weight: 3, arbitrary: between('2025-01-01T00:00:00Z', '2027-12-31T00:00:00Z') },
    { weight: 1, arbitrary: between('0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z') },
  );
}
