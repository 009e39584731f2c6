import type { ReactNode } from 'react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { driftQuery, endlessImagings } from '../../api/device-queries.js';
import type { Device, DriftingDevice, Imaging as Imaged } from '../../api/types.js';
import { Endless } from '../../parts/endless.js';
import { ImageVersionLink } from '../../parts/image-version-link.js';
import { Loaded } from '../../parts/loaded.js';
import { Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import type { Tone } from '../../states/step-states.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

const CHECK_LOOKS = {
  read_back: { shape: '●', tone: 'good' },
  started: { shape: '●', tone: 'good' },
  not_verified: { shape: '○', tone: 'waiting' },
} as const satisfies Record<Imaged['verified'], { shape: string; tone: Tone }>;

const FINDING_LOOKS = {
  not_imaged: { shape: '○', tone: 'waiting' },
  withdrawn: { shape: '▲', tone: 'bad' },
  outdated: { shape: '◔', tone: 'busy' },
  reports_other: { shape: '▲', tone: 'bad' },
  not_reported: { shape: '○', tone: 'waiting' },
  packages_differ: { shape: '▲', tone: 'bad' },
  packages_unknown: { shape: '○', tone: 'waiting' },
} as const satisfies Record<DriftingDevice['findings'][number], { shape: string; tone: Tone }>;

/** What a machine was imaged with, and whether it is still as it should be. */
export function Imaging({ device: { id, state } }: { device: Device }): ReactNode {
  const history = useInfiniteQuery(endlessImagings(id));
  const isInUse = state !== 'retired' && state !== 'disposed';
  return (
    <Section title={text.imaging.title}>
      {isInUse && <Drift deviceId={id} />}
      <Endless query={history} none={text.imaging.none}>
        {(imagings) => (
          <ul className="rows">
            {imagings.map((one) => (
              <li key={one.id} className="row-plain">
                <span className="row-name">
                  <ImageVersionLink id={one.imageVersionId} />
                </span>
                <span className="row-detail">
                  <Mark {...CHECK_LOOKS[one.verified]} word={text.imaging.verified[one.verified]} />
                </span>
                <span className="dim">
                  {text.imaging.by(one.imagedBy)} <Instant at={one.imagedAt} />
                </span>
              </li>
            ))}
          </ul>
        )}
      </Endless>
    </Section>
  );
}

/** Held against what it tells itself, and against the current version. */
function Drift({ deviceId }: { deviceId: string }): ReactNode {
  const query = useQuery(driftQuery(deviceId));
  return (
    <Loaded query={query} lines={1}>
      {({ items: [drift] }) =>
        drift === undefined ? (
          <p>
            <Mark shape="●" tone="good" word={text.imaging.asItShouldBe} />
          </p>
        ) : (
          <ul className="plain-list">
            {drift.findings.map((finding) => (
              <li key={finding}>
                <Mark {...FINDING_LOOKS[finding]} word={text.imaging.finding[finding]} />{' '}
                <span className="dim">
                  {finding === 'reports_other' && drift.reported && (
                    <>
                      {text.imaging.tells(drift.reported.value)} <Instant at={drift.reported.observedAt} />
                    </>
                  )}
                  {finding === 'outdated' && drift.standard && text.imaging.currentIs(drift.standard.version)}
                </span>
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}
