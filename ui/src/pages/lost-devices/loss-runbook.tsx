import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { ApiProblem } from '../../api/problem.js';
import { lossQuery } from '../../api/queries.js';
import { Loaded } from '../../parts/loaded.js';
import { Containment } from './containment.js';
import { LossTasks } from './loss-tasks.js';
import { LossWorksheet } from './loss-worksheet.js';

/** What else is due after access was cut: the laptop itself, who does what by when, and the breach assessment. */
export function LossRunbook({ caseId }: { caseId: string }): ReactNode {
  const query = useQuery({ ...lossQuery(caseId), retry: false });
  // A loss from before there were runbooks asks for nothing more.
  if (query.error instanceof ApiProblem && query.error.kind === 'not-found') return null;
  return (
    <Loaded query={query} lines={4}>
      {(loss) => (
        <>
          <Containment loss={loss} />
          <LossTasks loss={loss} />
          <LossWorksheet loss={loss} />
        </>
      )}
    </Loaded>
  );
}
