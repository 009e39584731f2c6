import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { deviceQuery, modelsQuery, recoveryKeysQuery } from '../../api/queries.js';
import type { DeviceDetails, LossReport, Observation } from '../../api/types.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { PersonLink } from '../../parts/person-link.js';
import { Mark } from '../../parts/step-state-mark.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { encryptionLooks } from '../devices/encryption.js';
import { ConfirmReport } from './confirm-report.js';
import { ReportLoss } from './report-loss.js';

interface Props {
  deviceId: string;
  /** What was said at `/lost`, and is confirmed with it. */
  report?: LossReport;
}

/** What is known of it and how old that is, what will be cut, and the one button. */
export function ChosenDevice({ deviceId, report }: Props): ReactNode {
  const query = useQuery(deviceQuery(deviceId));
  return (
    <div className="stack">
      <p>
        <Link to="/lost-laptop" search={report ? { report: report.id } : {}}>
          ← {text.lostLaptop.another}
        </Link>
      </p>
      <Loaded query={query} lines={6}>
        {(device) => (
          <>
            <Known device={device} />
            {device.holderId === null ? (
              <Empty>{text.lostLaptop.nobodyHasIt}</Empty>
            ) : report ? (
              <ConfirmReport report={report} device={device} personId={device.holderId} />
            ) : (
              <ReportLoss device={device} personId={device.holderId} />
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
