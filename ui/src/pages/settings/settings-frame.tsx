import type { ReactNode } from 'react';
import { Link } from '@tanstack/react-router';
import { Page } from '../../parts/section.js';
import { useSettingsPlaces } from '../../shell/settings-places.js';
import { text } from '../../text/text.js';

interface Props {
  words: { title: string; sub: string };
  acts?: ReactNode;
  children: ReactNode;
}

/** One kind of settings, and the way to the others. */
export function SettingsFrame({ words: { title, sub }, acts, children }: Props): ReactNode {
  return (
    <>
      <nav aria-label={text.nav.settings}>
        <ul className="tabs">
          {useSettingsPlaces().map(({ to, words }) => (
            <li key={to}>
              <Link to={to} className="nav-link">
                {words.title}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <Page title={title} sub={sub} acts={acts}>
        {children}
      </Page>
    </>
  );
}
