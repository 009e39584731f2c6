/** One field of a form, as a connector's JSON Schema tells it. */
export interface SettingsField {
  name: string;
  /** What people call it, where that isn't its name. */
  label?: string;
  kind: 'line' | 'text' | 'number' | 'flag' | 'choice' | 'list' | 'json';
  isRequired: boolean;
  description: string | undefined;
  choices: readonly string[];
  /** What counts where nothing is typed, in words; undefined: nothing does. */
  otherwise: string | undefined;
}

/** What somebody typed, by the field's name; a flag is `true` or `false`. */
export type Typed = Readonly<Record<string, string | boolean>>;

interface Property {
  type?: string | readonly string[];
  description?: string;
  enum?: readonly unknown[];
  default?: unknown;
  maxLength?: number;
  items?: { type?: string };
  anyOf?: readonly Property[];
}

/** @param schema JSON Schema of an object, as `GET /v1/connectors` answers it */
export function fieldsOf(schema: Readonly<Record<string, unknown>>): SettingsField[] {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Property>>;
  const required = (schema['required'] ?? []) as readonly string[];
  return Object.entries(properties).map(([name, property]) => ({
    name,
    kind: kindOf(name, property),
    isRequired: required.includes(name),
    description: property.description,
    choices: (property.enum ?? []).map(String),
    otherwise: inWords(property.default),
  }));
}

function kindOf(name: string, property: Property): SettingsField['kind'] {
  if (property.enum) return 'choice';
  const type = property.type ?? property.anyOf?.find((one) => one.type !== 'null')?.type;
  switch (type) {
    case 'boolean':
      return 'flag';
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
      return isLong(name, property) ? 'text' : 'line';
    case 'array':
      return property.items?.type === 'string' ? 'list' : 'json';
    default:
      return 'json';
  }
}

/** PEM, keys and notes have several lines. */
function isLong(name: string, { maxLength }: Property): boolean {
  return /certificate|key$/i.test(name) || (maxLength ?? 0) > 500;
}

function inWords(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(String).join(', ');
  return typeof value === 'object' ? undefined : asText(value);
}

/** What is there already, as it would be typed. */
export function typedOf(fields: readonly SettingsField[], settings: Readonly<Record<string, unknown>>): Typed {
  return Object.fromEntries(
    fields.map(({ name, kind, otherwise }) => [name, asTyped(kind, settings[name], otherwise)]),
  );
}

function asTyped(kind: SettingsField['kind'], value: unknown, otherwise: string | undefined): string | boolean {
  if (kind === 'flag') return value === undefined ? otherwise === 'true' : value === true;
  if (value === undefined || value === null) return '';
  if (kind === 'list') return (value as readonly unknown[]).map(String).join('\n');
  return kind === 'json' ? JSON.stringify(value, null, 2) : asText(value);
}

/** Of a text, a number or a flag. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * The settings that were typed; a field that was left empty isn't among them, so that its default counts. What is wrong
 * with a value, the service says.
 *
 * @returns the name of a field whose JSON can't be read, instead
 */
export function settingsOf(
  fields: readonly SettingsField[],
  typed: Typed,
): { settings: Record<string, unknown> } | { unreadable: string } {
  const settings: Record<string, unknown> = {};
  for (const { name, kind } of fields) {
    const value = typed[name];
    if (typeof value === 'boolean') settings[name] = value;
    else if (value === undefined || value.trim() === '') continue;
    else if (kind === 'number') settings[name] = Number(value);
    else if (kind === 'list') settings[name] = linesOf(value);
    else if (kind === 'json') {
      try {
        settings[name] = JSON.parse(value);
      } catch {
        return { unreadable: name };
      }
    } else settings[name] = kind === 'text' ? value : value.trim();
  }
  return { settings };
}

function linesOf(value: string): string[] {
  return value
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}

/** A tool's name in the access policy, made of what it is called. */
export function keyFrom(name: string): string {
  return name
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);
}
