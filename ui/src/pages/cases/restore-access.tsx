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
      {isAsked && <RestoreDialog caseId={details.id} onClose={() => setAsked(false)} />}
    </>
  );
}

function RestoreDialog({ caseId, onClose }: { caseId: string; onClose: () => void }): ReactNode {
  const [replacement, setReplacement] = useState('');
  const navigate = useNavigate();
  const mayRead = useMay()('devices:read');
  const { data: spare } = useQuery({ ...devicesQuery({ state: 'in_stock', limit: 200 }), enabled: mayRead });
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
          ...(spare?.items ?? []).map(({ id, assetTag }) => ({ value: id, label: assetTag })),
        ]}
      />
    </ActDialog>
  );
}
