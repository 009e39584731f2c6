import type { ReactNode } from 'react';
import { Link } from '@tanstack/react-router';
import { Empty } from '../parts/loaded.js';
import { Page } from '../parts/section.js';
import { text } from '../text/text.js';

export function NotFound(): ReactNode {
  return (
    <Page title={text.shell.notFound}>
      <Empty>
        {text.shell.notFoundDetail} <Link to="/">{text.nav.overview}</Link>
      </Empty>
    </Page>
  );
}
