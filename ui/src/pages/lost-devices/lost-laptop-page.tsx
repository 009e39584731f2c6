import type { ReactNode } from 'react';
import { getRouteApi } from '@tanstack/react-router';
import { Page } from '../../parts/section.js';
import { text } from '../../text/text.js';
import { ChosenDevice } from './chosen-device.js';
import { FindDevice } from './find-device.js';
import { WatchLoss } from './watch-loss.js';

const route = getRouteApi('/lost-laptop');

/**
 * For somebody in a hurry, with one hand, on a phone: find it, see what is known, cut access, watch it go. Each of them is
 * an address of its own, so that a page that was loaded again, or sent to a colleague, shows the same.
 */
export function LostLaptopPage(): ReactNode {
  const { q, device, case: caseId } = route.useSearch();
  return (
    <div className="narrow">
      <Page title={text.lostLaptop.title} sub={caseId === undefined ? text.lostLaptop.sub : undefined}>
        {caseId !== undefined ? (
          <WatchLoss key={caseId} caseId={caseId} />
        ) : device !== undefined ? (
          <ChosenDevice key={device} deviceId={device} />
        ) : (
          <FindDevice wanted={q ?? ''} />
        )}
      </Page>
    </div>
  );
}
