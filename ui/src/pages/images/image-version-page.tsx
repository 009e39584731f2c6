import type { ReactNode } from 'react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { endlessCarriers, endlessMedia, imageVersionQuery, releaseKeysQuery } from '../../api/device-queries.js';
import type { ImageVersion } from '../../api/types.js';
import { Endless } from '../../parts/endless.js';
import { Fact } from '../../parts/fact.js';
import { Holder } from '../../parts/holder.js';
import { LoadedPage } from '../../parts/loaded.js';
import { Page, Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { CHANNEL_LOOKS } from '../../states/image-channels.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { Sticks } from './sticks.js';
import { VersionActs } from './version-acts.js';

const route = getRouteApi('/images/$versionId');

export function ImageVersionPage(): ReactNode {
  const { versionId } = route.useParams();
  const query = useQuery(imageVersionQuery(versionId));
  return (
    <LoadedPage query={query} title={text.images.version}>
      {(version) => <ShownVersion key={version.id} version={version} />}
    </LoadedPage>
  );
}

function ShownVersion({ version }: { version: ImageVersion }): ReactNode {
  const { id, image, channel, changeLog, manifest } = version;
  const media = useInfiniteQuery(endlessMedia({ imageVersionId: id }));
  return (
    <Page
      title={text.images.named(image, version.version)}
      sub={
        <>
          <Mark {...CHANNEL_LOOKS[channel]} word={text.images.channel[channel]} /> · {text.images.channelMeans[channel]}
        </>
      }
      acts={<VersionActs version={version} />}
    >
      {version.withdrawnAt !== null && (
        <div className="notice notice-bad">
          <p className="notice-title">▲ {text.images.withdrawnBy(version.withdrawnBy ?? text.people.somebody)}</p>
          <p>
            {version.withdrawalReason} · <Instant at={version.withdrawnAt} />
          </p>
        </div>
      )}
      <Facts version={version} />
      {changeLog !== '' && (
        <Section title={text.images.changeLog}>
          <p className="quoted">{changeLog}</p>
        </Section>
      )}
      <Carriers versionId={id} />
      <Section title={text.images.sticks}>
        <Sticks query={media} none={text.images.onNoStick} />
      </Section>
      {manifest && manifest.inputs.length > 0 && (
        <Section title={text.images.inputs} count={manifest.inputs.length}>
          <details className="more">
            <summary>{text.images.inputsMean}</summary>
            <ul className="plain-list long">
              {manifest.inputs.map(({ name, version: pinned, sha256 }) => (
                <li key={name + pinned}>
                  {name} {pinned} <code>{sha256}</code>
                </li>
              ))}
            </ul>
          </details>
        </Section>
      )}
    </Page>
  );
}

function Facts({ version }: { version: ImageVersion }): ReactNode {
  const { os, architecture, sizeBytes, sha256, content, releasedAt, publishedAt, publishedBy } = version;
  return (
    <dl className="facts">
      <Fact name={text.images.machine}>{[os, architecture].filter(Boolean).join(' · ') || text.images.notSaid}</Fact>
      <Fact name={text.images.released}>
        <Instant at={releasedAt} />
      </Fact>
      <Fact name={text.images.contentLabel}>
        {content ? text.images.content[content.state] : text.images.noContent}
        {sizeBytes !== null && <span className="dim"> · {text.images.size(sizeBytes)}</span>}
        {content?.problem && <span className="dim"> · {content.problem}</span>}
      </Fact>
      <Fact name={text.images.signature}>
        <Signature version={version} />
      </Fact>
      {publishedAt !== null && (
        <Fact name={text.images.published}>
          <Instant at={publishedAt} />{' '}
          <span className="dim">{publishedBy !== null && text.images.by(publishedBy)}</span>
        </Fact>
      )}
      {sha256 !== null && (
        <Fact name="SHA-256">
          <code className="long">{sha256}</code>
        </Fact>
      )}
    </dl>
  );
}

/** Whose it is said to be. That it holds was checked when it was published, and is by whoever writes a stick. */
function Signature({ version: { signature, releaseKeyId } }: { version: ImageVersion }): ReactNode {
  const { data: keys } = useQuery(releaseKeysQuery);
  if (signature === null) return <Mark shape="○" tone="waiting" word={text.images.unsigned} />;
  const key = keys?.items.find(({ id }) => id === releaseKeyId);
  return text.images.signedBy(key?.name ?? text.images.someKey);
}

/** The machines that have it, by the record or by what they tell. */
function Carriers({ versionId }: { versionId: string }): ReactNode {
  const query = useInfiniteQuery(endlessCarriers(versionId));
  return (
    <Section title={text.images.carriers}>
      <Endless query={query} none={text.images.noCarriers}>
        {(devices) => (
          <Table
            rows={devices}
            columns={[
              {
                name: text.devices.assetTag,
                cell: ({ id, assetTag }) => (
                  <Link to="/devices/$deviceId" params={{ deviceId: id }}>
                    {assetTag}
                  </Link>
                ),
              },
              { name: text.devices.holder, cell: ({ holderId }) => <Holder id={holderId} /> },
              {
                name: text.images.known,
                cell: ({ recorded, reported }) =>
                  [recorded && text.images.recorded, reported && text.images.reported].filter(Boolean).join(' · '),
              },
            ]}
          />
        )}
      </Endless>
    </Section>
  );
}
