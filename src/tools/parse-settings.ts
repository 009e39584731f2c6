import { z } from 'zod';
import type { Connector } from '../../connectors/kit/contract.js';
import { Problem } from '../platform/errors/problem.js';
import type { StoredSettings } from './stored-settings.js';

/**
 * Settings as the connector's schema reads them, defaults filled in: a later version's other default changes no tool.
 * @throws Problem `invalid-request` with a pointer per mistake
 */
export function parseSettings(connector: Connector, settings: Record<string, unknown>): StoredSettings['connector'] {
  const parsed = connector.settings.safeParse(settings);
  if (parsed.success) return asJson(parsed.data);
  const fields = parsed.error.issues.map(({ path, message }) => ({
    pointer: ['/settings', ...path.map((step) => String(step).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/'),
    detail: message,
  }));
  throw new Problem(
    'invalid-request',
    `The settings aren’t right for a tool of the kind “${connector.title}”.`,
    fields,
  );
}

/** What can be stored, and comes back from the database as it was: a field that wasn't given is left out. */
function asJson(settings: unknown): StoredSettings['connector'] {
  return z.record(z.string(), z.unknown()).parse(JSON.parse(JSON.stringify(settings)));
}
