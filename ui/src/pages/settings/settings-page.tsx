import type { ReactNode } from 'react';
import { Link } from '@tanstack/react-router';
import { Page } from '../../parts/section.js';
import { useSettingsPlaces } from '../../shell/settings-places.js';
import { text } from '../../text/text.js';

/** Which settings there are for whoever looks. */
export function SettingsPage(): ReactNode {
  return (
    <Page title={text.nav.settings} sub={text.settings.sub}>
      <ul className="cards">
        {useSettingsPlaces().map(({ to, words }) => (
          <li key={to}>
            <Link to={to} className="card card-link" data-row>
              <span className="card-title">{words.title}</span>
              <span className="dim">{words.sub}</span>
            </Link>
          </li>
        ))}
      </ul>
    </Page>
  );
}
