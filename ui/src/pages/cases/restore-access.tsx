import { useState, type ReactNode } from 'react';
import { Button, NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { answerOf, api } from '../../api/client.js';
import { devicesQuery } from '../../api/queries.js';
import type { CaseDetails } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';

/** Gives access back after a loss, with new credentials, and a replacement where there is one. */
export function RestoreAccess({ details }: { details: CaseDetails }): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const may = useMay();
  if (!may('access:restore')) return null;
  return (
    <>
      <Button variant="default" onClick={() => setAsked(true)}>
        {text.restore.open}
      </Button>
      {isAsked && <RestoreDialog caseId={details.id} personId={details.personId} onClose={() => setAsked(false)} />}
    </>
  );
}

function RestoreDialog({
  caseId,
  personId,
  onClose,
}: {
  caseId: string;
  personId: string;
  onClose: () => void;
}): ReactNode {
  const [replacement, setReplacement] = useState('');
  const navigate = useNavigate();
  const mayRead = useMay()('devices:read');
  const { data: kept } = useQuery({ ...devicesQuery({ state: 'reserved', limit: 200 }), enabled: mayRead });
  const { data: spare } = useQuery({ ...devicesQuery({ state: 'in_stock', limit: 200 }), enabled: mayRead });
  // The one that the loss kept for them comes first.
  const devices = [
    ...(kept?.items ?? []).filter(({ reservedForId }) => reservedForId === personId),
    ...(spare?.items ?? []),
  ];
  return (
    <ActDialog
      title={text.restore.title}
      verb={text.restore.verb}
      act={() =>
        answerOf(
          api.POST('/v1/lost-devices/{caseId}/restore', {
            params: { path: { caseId } },
            body: replacement === '' ? {} : { replacementDeviceId: replacement },
          }),
        )
      }
      onDone={({ caseId: restoration }) => {
        onClose();
        void navigate({ to: '/cases/$caseId', params: { caseId: restoration } });
      }}
      onClose={onClose}
    >
      <p>{text.restore.means}</p>
      <NativeSelect
        label={text.restore.replacement}
        value={replacement}
        onChange={(event) => setReplacement(event.currentTarget.value)}
        data={[
          { value: '', label: text.restore.none },
          ...devices.map(({ id, assetTag }) => ({ value: id, label: assetTag })),
        ]}
      />
    </ActDialog>
  );
}
