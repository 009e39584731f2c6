import type { ReactNode } from 'react';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Page } from '../../parts/section.js';
import { text } from '../../text/text.js';
import { ChosenDevice } from './chosen-device.js';
import { FindDevice } from './find-device.js';
import { ReportedLoss } from './reported-loss.js';
import { WaitingReports } from './waiting-reports.js';
import { WatchLoss } from './watch-loss.js';

const route = getRouteApi('/lost-laptop');

/**
 * For somebody in a hurry, with one hand, on a phone: find it, see what is known, cut access, watch it go. Each of them is
 * an address of its own, so that a page that was loaded again, or sent to a colleague, shows the same.
 */
export function LostLaptopPage(): ReactNode {
  const { q, device, case: caseId, report } = route.useSearch();
  const navigate = useNavigate();
  return (
    <div className="narrow">
      <Page title={text.lostLaptop.title} sub={caseId === undefined ? text.lostLaptop.sub : undefined}>
        {caseId !== undefined ? (
          <WatchLoss key={caseId} caseId={caseId} />
        ) : report !== undefined ? (
          <ReportedLoss key={report} reportId={report} deviceId={device} />
        ) : device !== undefined ? (
          <ChosenDevice key={device} deviceId={device} />
        ) : (
          <div className="stack">
            <WaitingReports />
            <FindDevice
              wanted={q ?? ''}
              onWanted={(now) =>
                void navigate({ to: '/lost-laptop', search: now === '' ? {} : { q: now }, replace: true })
              }
            />
          </div>
        )}
      </Page>
    </div>
  );
}
