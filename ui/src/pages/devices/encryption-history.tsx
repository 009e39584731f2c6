import type { ReactNode } from 'react';
import { TextInput } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { endlessEncryptionReports, knownEncryptionQuery } from '../../api/device-queries.js';
import type { EncryptionReport } from '../../api/types.js';
import { Endless } from '../../parts/endless.js';
import { Loaded } from '../../parts/loaded.js';
import { Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { duration } from '../../time/relative-time.js';
import { encryptionLooks } from './encryption.js';

const route = getRouteApi('/devices/$deviceId');

/** What is known of a device's disks, what was known at an instant that is asked about, and every report of it. */
export function EncryptionHistory({ deviceId }: { deviceId: string }): ReactNode {
  const { at } = route.useSearch();
  const navigate = route.useNavigate();
  const history = useInfiniteQuery(endlessEncryptionReports(deviceId));
  const ask = (local: string): void => {
    const instant = new Date(local);
    const asked = Number.isNaN(instant.getTime()) ? undefined : instant.toISOString();
    void navigate({ search: { at: asked }, replace: true });
  };
  return (
    <Section title={text.encryption.title}>
      <Known deviceId={deviceId} at={at} />
      <div className="filters asked-at">
        <TextInput
          type="datetime-local"
          label={text.encryption.at}
          value={at === undefined ? '' : localTime(at)}
          onChange={({ currentTarget }) => ask(currentTarget.value)}
        />
      </div>
      <Endless query={history} none={text.encryption.noReports}>
        {(reports) => (
          <ol className="timeline" aria-label={text.encryption.history}>
            {reports.map((report) => (
              <Report key={report.id} report={report} />
            ))}
          </ol>
        )}
      </Endless>
    </Section>
  );
}

function Known({ deviceId, at }: { deviceId: string; at: string | undefined }): ReactNode {
  const query = useQuery(knownEncryptionQuery(deviceId, at));
  return (
    <Loaded query={query} lines={2}>
      {({ state, answer, askedInVain }) => (
        <div className="stack-small">
          <p>
            {at !== undefined && (
              <>
                <Instant at={at} />:{' '}
              </>
            )}
            <Mark {...encryptionLooks(wasAsked(answer, askedInVain) ? { value: state } : undefined)} />
            {answer && (
              <span className="dim">
                {' '}
                {text.devices.seenBy(answer.source)}{' '}
                {at === undefined ? (
                  <Instant at={answer.observedAt} />
                ) : (
                  text.encryption.oldThen(duration(answer.ageSeconds * 1_000))
                )}
              </span>
            )}
          </p>
          {answer && <Volumes volumes={answer.volumes} />}
          {askedInVain && (
            <p>
              <Mark shape="○" tone="waiting" word={text.encryption.inVain(askedInVain.source)} />{' '}
              <Instant at={askedInVain.observedAt} />
              {askedInVain.why !== null && <span className="dim">: {askedInVain.why}</span>}
            </p>
          )}
        </div>
      )}
    </Loaded>
  );
}

/** The same in one line, with its age. */
export function KnownEncryption({ deviceId }: { deviceId: string }): ReactNode {
  const { data } = useQuery(knownEncryptionQuery(deviceId, undefined));
  if (!data) return null;
  const { state, answer, askedInVain } = data;
  return (
    <>
      <Mark {...encryptionLooks(wasAsked(answer, askedInVain) ? { value: state } : undefined)} />
      {answer && (
        <span className="dim">
          {' '}
          <Instant at={answer.observedAt} />
        </span>
      )}
    </>
  );
}

/** Whether anybody ever looked; not knowing after that is another thing. */
function wasAsked(answer: object | null, askedInVain: object | null): boolean {
  return answer !== null || askedInVain !== null;
}

type VolumesShown = readonly Pick<
  EncryptionReport['volumes'][number],
  'volume' | 'role' | 'state' | 'claimed' | 'why' | 'method' | 'percentage' | 'protectors'
>[];

function Volumes({ volumes }: { volumes: VolumesShown }): ReactNode {
  return (
    <ul className="plain-list small">
      {volumes.map(({ volume, role, state, claimed, why, method, percentage, protectors }) => (
        <li key={volume}>
          <code>{volume}</code> <span className="dim">{text.encryption.role[role]}</span>{' '}
          <Mark {...encryptionLooks({ value: state })} />
          {state === 'converting' && percentage !== null && ` ${percentage} %`}
          {protectors && protectors.length > 0 && (
            <span className="dim"> · {protectors.map((one) => text.encryption.protector[one]).join(', ')}</span>
          )}
          {method !== null && <span className="dim"> · {method}</span>}
          {claimed !== null && claimed !== state && (
            <span className="dim"> · {text.encryption.claimed(text.devices.encryption[claimed])}</span>
          )}
          {why !== null && <span className="dim"> · {why}</span>}
        </li>
      ))}
    </ul>
  );
}

/** Milliseconds after which it is told that we learned of something later than it was seen. */
const LATE = 60_000;

function Report({ report }: { report: EncryptionReport }): ReactNode {
  const { state, why, source, agent, agentVersion, observedAt, recordedAt, volumes } = report;
  const reporter = [source, agent !== source && agent, agentVersion].filter(Boolean).join(' ');
  const isLate = Date.parse(recordedAt) - Date.parse(observedAt) > LATE;
  return (
    <li>
      <span>
        <Instant at={observedAt} />
        {isLate && (
          <span className="dim small">
            {' '}
            {text.encryption.learned} <Instant at={recordedAt} />
          </span>
        )}
      </span>
      <span className="stack-small">
        <span>
          <Mark {...encryptionLooks({ value: state })} />{' '}
          <span className="dim">
            {text.devices.seenBy(reporter)}
            {why !== null && volumes.length === 0 && `: ${why}`}
          </span>
        </span>
        {volumes.length > 0 && <Volumes volumes={volumes} />}
      </span>
    </li>
  );
}

/** As a field for a date and a time has it, in the zone of whoever looks. */
function localTime(at: string): string {
  const instant = new Date(at);
  if (Number.isNaN(instant.getTime())) return '';
  return new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
