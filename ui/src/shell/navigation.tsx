import type { ReactNode } from 'react';
import { Link } from '@tanstack/react-router';
import type { Scope } from '../api/types.js';
import { text } from '../text/text.js';
import { useMay } from './caller.js';
import { useSettingsPlaces } from './settings-places.js';

const PLACES = [
  { to: '/', word: text.nav.overview, scope: 'cases:read', key: 'o' },
  { to: '/people', word: text.nav.people, scope: 'people:read', key: 'p' },
  { to: '/cases', word: text.nav.cases, scope: 'cases:read', key: 'c' },
  { to: '/devices', word: text.nav.devices, scope: 'devices:read', key: 'd' },
  { to: '/returns', word: text.nav.returns, scope: 'devices:read', key: 'r' },
  { to: '/models', word: text.nav.models, scope: 'devices:read', key: 'm' },
  { to: '/images', word: text.nav.images, scope: 'devices:read', key: 'i' },
  { to: '/tools', word: text.nav.tools, scope: 'tools:read', key: 't' },
  { to: '/approvals', word: text.nav.approvals, scope: 'approvals:read', key: 'a' },
  { to: '/hr-events', word: text.nav.hrEvents, scope: 'hr-events:read', key: 'h' },
  { to: '/audit', word: text.nav.audit, scope: 'audit:read', key: 'u' },
  // Offered as soon as any of its own places is.
  { to: '/settings', word: text.nav.settings, scope: null, key: 's' },
] as const satisfies readonly { to: string; word: string; scope: Scope | null; key: string }[];

/** Where one may go; places that would only refuse aren't offered. */
export function usePlaces(): (typeof PLACES)[number][] {
  const may = useMay();
  const hasSettings = useSettingsPlaces().length > 0;
  return PLACES.filter(({ scope }) => (scope === null ? hasSettings : may(scope)));
}

export function Navigation({ onChosen }: { onChosen?: () => void }): ReactNode {
  const mayReport = useMay()('lost-devices:report');
  return (
    <ul className="nav-list">
      {usePlaces().map(({ to, word }) => (
        <li key={to}>
          <Link to={to} className="nav-link" activeOptions={{ exact: to === '/' }} onClick={onChosen}>
            {word}
          </Link>
        </li>
      ))}
      {mayReport && (
        <li>
          <Link to="/lost-laptop" className="nav-link nav-urgent" onClick={onChosen}>
            {text.nav.lostLaptop}
          </Link>
        </li>
      )}
    </ul>
  );
}
