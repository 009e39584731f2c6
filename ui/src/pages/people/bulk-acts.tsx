import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { callerQuery } from '../../api/queries.js';
import type { Person } from '../../api/types.js';
import { BulkDialog } from '../../bulk/bulk-dialog.js';
import type { Accepted } from '../../bulk/run-on-each.js';
import type { RowSelection } from '../../bulk/use-selection.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { previewBulk, type BulkPeopleAct } from './bulk-people.js';

/** What can be done with several people: each becomes a case of their own, within the limits of the brakes. */
export function BulkActs({ selection }: { selection: RowSelection<Person> }): ReactNode {
  const may = useMay();
  const [asked, setAsked] = useState<BulkPeopleAct | null>(null);
  const { data: caller } = useQuery(callerQuery);
  const shared = (act: BulkPeopleAct) => ({
    selection,
    nameOf: ({ displayName }: Person) => displayName,
    verb: text.people.bulk[act].verb,
    means: text.people.bulk[act].means,
    preview: (person: Person) => previewBulk(person, act, caller?.personId ?? null),
    onClose: () => setAsked(null),
  });
  return (
    <>
      {may('cases:write') && (
        <Button size="xs" variant="default" onClick={() => setAsked('leave')}>
          {text.people.bulk.leave.open}
        </Button>
      )}
      {may('credentials:reset') && (
        <Button size="xs" variant="default" onClick={() => setAsked('reset')}>
          {text.reset.open}
        </Button>
      )}
      {asked === 'leave' && (
        <BulkDialog
          {...shared('leave')}
          danger
          ask={text.leave.reason}
          act={async ({ id: personId }, reason, header) =>
            opened(await answerOf(api.POST('/v1/leavers', { params: { header }, body: { personId, reason } })))
          }
        />
      )}
      {asked === 'reset' && (
        <BulkDialog
          {...shared('reset')}
          act={async ({ id: personId }, _sentence, header) =>
            opened(await answerOf(api.POST('/v1/credential-resets', { params: { header }, body: { personId } })))
          }
        />
      )}
    </>
  );
}

function opened({ caseId, held }: { caseId: string; held: boolean }): Accepted {
  return { standing: 'under_way', said: held ? text.bulk.caseHeld : text.bulk.caseOpened, caseId };
}
