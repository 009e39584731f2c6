import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { answerOf, api, once } from '../../api/client.js';
import type { Device, PersonDetails } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';

interface Props {
  person: PersonDetails;
  devices: readonly Device[];
}

/** What may be done about somebody; each says what will happen before it does. */
export function PersonActs({ person, devices }: Props): ReactNode {
  const may = useMay();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<'leave' | 'reset' | null>(null);
  // A reset that is sent again because no answer came is the same reset.
  const [header] = useState(once);
  const close = (): void => setAsked(null);
  const openCase = ({ caseId }: { caseId: string }): void =>
    void navigate({ to: '/cases/$caseId', params: { caseId } });
  const held = devices.filter(({ state }) => state === 'assigned');
  const { id: personId, displayName } = person;
  return (
    <>
      {may('lost-devices:report') && (
        <Link
          to="/lost-laptop"
          search={held.length === 1 && held[0] ? { device: held[0].id } : { q: displayName }}
          className="act-link act-danger"
        >
          {text.nav.lostLaptop}
        </Link>
      )}
      {may('cases:write') && person.status !== 'left' && (
        <Button variant="default" onClick={() => setAsked('leave')}>
          {text.leave.open}
        </Button>
      )}
      {may('credentials:reset') && (
        <Button variant="default" onClick={() => setAsked('reset')}>
          {text.reset.open}
        </Button>
      )}
      {asked === 'leave' && (
        <ActDialog
          title={text.leave.title(displayName)}
          verb={text.leave.verb}
          danger
          ask={{ label: text.leave.reason, required: true }}
          act={(reason) => answerOf(api.POST('/v1/leavers', { body: { personId, reason } }))}
          onDone={openCase}
          onClose={close}
        >
          <p>{text.leave.means(displayName)}</p>
          <p className="dim">{text.leave.dated}</p>
        </ActDialog>
      )}
      {asked === 'reset' && (
        <ActDialog
          title={text.reset.title(displayName)}
          verb={text.reset.verb}
          act={() => answerOf(api.POST('/v1/credential-resets', { params: { header }, body: { personId } }))}
          onDone={openCase}
          onClose={close}
        >
          <p>{text.reset.means}</p>
        </ActDialog>
      )}
    </>
  );
}
