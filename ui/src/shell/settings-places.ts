import type { Scope } from '../api/types.js';
import { text } from '../text/text.js';
import { useMay, useMayEverywhere } from './caller.js';

/** What can be set up beside tools, in the order in which most people need it. */
const SETTINGS_PLACES = [
  { to: '/settings/alerts', scope: 'alerts:read', words: text.settings.alerts },
  { to: '/settings/roles', scope: 'roles:read', words: text.settings.roles },
  { to: '/settings/tokens', scope: 'tokens:read', words: text.settings.tokens },
  { to: '/settings/hr-sources', scope: 'hr-events:read', words: text.settings.hrSources },
  { to: '/settings/limits', scope: 'brakes:read', words: text.settings.limits },
  { to: '/settings/sites', scope: 'people:read', words: text.settings.sites },
  { to: '/settings/installation', scope: 'audit:read', words: text.settings.installation },
] as const satisfies readonly { to: string; scope: Scope; words: { title: string; sub: string } }[];

/** Those that whoever looks may read. Sites are read by whoever may see anybody, the others by who may do so everywhere. */
export function useSettingsPlaces(): (typeof SETTINGS_PLACES)[number][] {
  const may = useMay();
  const mayEverywhere = useMayEverywhere();
  return SETTINGS_PLACES.filter(({ to, scope }) => (to === '/settings/sites' ? may(scope) : mayEverywhere(scope)));
}
