import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { fleetEncryptionQuery } from '../../api/device-queries.js';
import type { FleetEncryption } from '../../api/types.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { encryptionLooks } from '../devices/encryption.js';
import { ageCounts, AGES, byAge, shareInWords } from './fleet-encryption.js';

/** How many disks are encrypted as far as anybody knows, and how old that knowledge is; each part leads to whom it counts. */
export function DiskEncryption(): ReactNode {
  const query = useQuery(fleetEncryptionQuery);
  return (
    <Section title={text.overview.diskEncryption} count={query.data?.devices.toLocaleString(text.locale)}>
      <Loaded query={query} lines={5}>
        {(fleet) =>
          fleet.devices === 0 ? (
            <Empty>{text.overview.noDisks}</Empty>
          ) : (
            <div className="stack">
              <Coverage fleet={fleet} />
              <Knowledge fleet={fleet} />
              <details className="more">
                <summary>{text.overview.asTable}</summary>
                <AsTable fleet={fleet} />
              </details>
            </div>
          )
        }
      </Loaded>
    </Section>
  );
}

interface Props {
  fleet: FleetEncryption;
}

/** One bar of all states. It says nothing that the list below it doesn't, which is there for who doesn't see or point. */
function Coverage({ fleet: { devices: all, states } }: Props): ReactNode {
  const there = states.filter(({ devices }) => devices > 0);
  return (
    <div className="stack-small">
      <div className="coverage" aria-hidden="true">
        {there.map(({ state, devices }) => (
          <Link
            key={state}
            to="/devices"
            search={{ encryption: state }}
            tabIndex={-1}
            className={`coverage-part fill fill-${state}`}
            style={{ flexGrow: devices }}
            title={`${encryptionLooks({ value: state }).word}: ${shareInWords(devices, all)}`}
          />
        ))}
      </div>
      <ul className="row">
        {there.map(({ state, devices }) => (
          <li key={state}>
            <Link to="/devices" search={{ encryption: state }} className="coverage-name">
              <span className={`swatch fill fill-${state}`} aria-hidden="true" />
              <Mark {...encryptionLooks({ value: state })} />
              <span>
                {shareInWords(devices, all)} <span className="dim">· {devices.toLocaleString(text.locale)}</span>
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Knowledge({ fleet }: Props): ReactNode {
  const { devices: all, oldest } = fleet;
  return (
    <div className="stack-small">
      <p className="small dim">
        {text.overview.seenWhen}
        {oldest && (
          <>
            {' '}
            {text.overview.oldest}{' '}
            <Link to="/devices/$deviceId" params={{ deviceId: oldest.deviceId }}>
              <Instant at={oldest.observedAt} />
            </Link>
          </>
        )}
      </p>
      <ul>
        {ageCounts(fleet).map(({ age, devices }) => (
          <li key={age}>
            <Link to="/devices" search={{ encryptionSeen: age }} className="age-row">
              <span>{text.devices.seenWithin[age]}</span>
              <span className="age-bar" aria-hidden="true">
                <span
                  className={`fill fill-${age === 'never' ? 'unknown' : 'age'}`}
                  style={{ width: `${(devices / all) * 100}%` }}
                />
              </span>
              <span>
                {shareInWords(devices, all)} <span className="dim">· {devices.toLocaleString(text.locale)}</span>
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}

function AsTable({ fleet: { devices: all, states } }: Props): ReactNode {
  const rows = states.map((one) => ({ ...one, id: one.state, seen: byAge(one) }));
  return (
    <Table
      rows={rows}
      columns={[
        { name: text.devices.diskEncryption, cell: ({ state }) => encryptionLooks({ value: state }).word },
        { name: text.nav.devices, cell: ({ devices }) => devices },
        { name: text.overview.share, cell: ({ devices }) => shareInWords(devices, all) },
        ...AGES.map(([age]) => ({
          name: text.devices.seenWithin[age],
          cell: ({ seen, state }: (typeof rows)[number]) => (state === 'unknown' ? '–' : seen[age]),
        })),
        { name: text.overview.askedInVain, cell: ({ askedInVain }) => askedInVain },
      ]}
    />
  );
}
