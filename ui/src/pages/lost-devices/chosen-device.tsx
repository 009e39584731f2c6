import { useState, type ReactNode } from 'react';
import { Button, Textarea } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { answerOf, api } from '../../api/client.js';
import {
  casesQuery,
  deviceQuery,
  lossPreviewQuery,
  modelsQuery,
  personQuery,
  recoveryKeysQuery,
} from '../../api/queries.js';
import { queryClient } from '../../api/query-client.js';
import type { DeviceDetails, Observation } from '../../api/types.js';
import { Empty, Loaded, Loading } from '../../parts/loaded.js';
import { PersonLink } from '../../parts/person-link.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { Mark } from '../../parts/step-state-mark.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { encryptionLooks } from '../devices/encryption.js';
import { LossExtent, type LossScope } from './loss-extent.js';

/** What is known of it and how old that is, what will be cut, and the one button. */
export function ChosenDevice({ deviceId }: { deviceId: string }): ReactNode {
  const query = useQuery(deviceQuery(deviceId));
  return (
    <div className="stack">
      <p>
        <Link to="/lost-laptop">← {text.lostLaptop.another}</Link>
      </p>
      <Loaded query={query} lines={6}>
        {(device) => (
          <>
            <Known device={device} />
            {device.holderId === null ? (
              <Empty>{text.lostLaptop.nobodyHasIt}</Empty>
            ) : (
              <CutAccess device={device} personId={device.holderId} />
            )}
          </>
        )}
      </Loaded>
    </div>
  );
}

function Known({ device }: { device: DeviceDetails }): ReactNode {
  const may = useMay();
  const { data: models } = useQuery(modelsQuery);
  const { data: keys } = useQuery({ ...recoveryKeysQuery(device.id), enabled: may('devices:read'), retry: false });
  const of = (kind: Observation['kind']): Observation | undefined =>
    device.observations.find((observation) => observation.kind === kind);
  const encryption = of('disk_encryption');
  const online = of('last_online');
  const model = models?.items.find(({ id }) => id === device.modelId);
  const revealed = keys?.items.map(({ revealedAt }) => revealedAt).filter((at) => at !== null) ?? [];
  return (
    <div className="card">
      <p className="card-title">
        {device.assetTag}
        {device.holderId !== null && (
          <>
            {' · '}
            <PersonLink id={device.holderId} />
          </>
        )}
      </p>
      <p className="dim">
        {model && `${model.manufacturer} ${model.name} · `}
        {online ? (
          <>
            {text.lostLaptop.lastSeen} <Instant at={online.observedAt} />
          </>
        ) : (
          text.lostLaptop.neverOnline
        )}
      </p>
      <p>
        <Mark {...encryptionLooks(encryption)} />
        {encryption && (
          <span className="dim">
            {' '}
            · {text.devices.seenBy(encryption.source)} <Instant at={encryption.observedAt} />
          </span>
        )}
      </p>
      {keys && keys.items.length > 0 && (
        <p className="dim">
          {revealed[0] === undefined ? (
            text.devices.keyNeverRevealed
          ) : (
            <>
              ▲ {text.devices.keyRevealed} <Instant at={revealed[0]} />
            </>
          )}
        </p>
      )}
    </div>
  );
}

function CutAccess({ device, personId }: { device: DeviceDetails; personId: string }): ReactNode {
  const navigate = useNavigate();
  const may = useMay();
  const [note, setNote] = useState('');
  const [chosen, setChosen] = useState<LossScope | null>(null);
  const { data: person } = useQuery({ ...personQuery(personId), enabled: may('people:read') });
  const preview = useQuery({ ...lossPreviewQuery(device.id), enabled: may('lost-devices:report') });
  const loss = useQuery({
    ...casesQuery({ kind: 'lost_device', personId, limit: 10 }),
    enabled: device.state === 'lost' && may('cases:read'),
  });
  const reported =
    device.state === 'lost' ? loss.data?.items.find(({ deviceId }) => deviceId === device.id) : undefined;
  // What was reported of the laptop alone can be reported of the person after all.
  const isOnlyMore = reported?.scope === 'device';
  // A preview that doesn't come stops nobody: then everything is cut.
  const scope = isOnlyMore ? 'person' : (chosen ?? preview.data?.proposedScope ?? 'person');
  const report = useMutation({
    mutationFn: () =>
      answerOf(
        api.POST('/v1/lost-devices', {
          body: { deviceId: device.id, scope, ...(note.trim() !== '' && { note: note.trim() }) },
        }),
      ),
    onSuccess: ({ caseId }) => {
      void queryClient.invalidateQueries({ queryKey: ['device'] });
      void navigate({ to: '/lost-laptop', search: { case: caseId } });
    },
  });
  if (!may('lost-devices:report')) return <Empty>{text.lostLaptop.mayNot}</Empty>;
  const name = person?.displayName ?? text.people.somebody;
  return (
    <>
      {reported && (
        <div className="notice">
          <p className="notice-title">{text.lostLaptop.reportedBefore}</p>
          <p>
            <Instant at={reported.openedAt} />.{' '}
            <Link to="/lost-laptop" search={{ case: reported.id }}>
              {text.lostLaptop.watchIt}
            </Link>
          </p>
          {isOnlyMore && <p>{text.lostLaptop.cutAfterAll}</p>}
        </div>
      )}
      {(!reported || isOnlyMore) && (
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (!report.isPending) report.mutate();
          }}
        >
          {preview.error && <ProblemNotice error={preview.error} onRetry={preview.refetch} />}
          {preview.isLoading && <Loading lines={4} />}
          {preview.data && (
            <LossExtent
              preview={preview.data}
              name={name}
              scope={scope}
              onChoose={isOnlyMore ? undefined : setChosen}
            />
          )}
          <details className="more">
            <summary>{text.lostLaptop.addNote}</summary>
            <Textarea
              label={text.lostLaptop.note}
              value={note}
              onChange={(event) => setNote(event.currentTarget.value)}
              maxLength={2_000}
              rows={2}
            />
          </details>
          {report.error && <ProblemNotice error={report.error} ofAct />}
          <div className="thumb">
            <Button type="submit" size="lg" color="red" fullWidth className="cut" loading={report.isPending}>
              {scope === 'person' ? text.lostLaptop.cut(name) : text.lostLaptop.cutDevice}
            </Button>
          </div>
        </form>
      )}
    </>
  );
}
