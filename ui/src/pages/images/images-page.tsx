import type { ReactNode } from 'react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { endlessImages, endlessMedia, imageQuery, releaseKeysQuery } from '../../api/device-queries.js';
import { Choice } from '../../parts/choice.js';
import { Copyable } from '../../parts/copyable.js';
import { Endless } from '../../parts/endless.js';
import { Filters } from '../../parts/filters.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Page, Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { IMAGE_FILTERS } from '../../search-params.js';
import { CHANNEL_LOOKS } from '../../states/image-channels.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { Sticks } from './sticks.js';

const route = getRouteApi('/images');

/** What is written onto machines: which version is the one to use, whose signature counts, and what is on which stick. */
export function ImagesPage(): ReactNode {
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(endlessImages);
  const media = useInfiniteQuery(endlessMedia({}));
  return (
    <Page title={text.nav.images} sub={text.images.sub}>
      <Filters>
        <Choice
          label={text.images.channelLabel}
          value={filters.channel}
          values={IMAGE_FILTERS.channel}
          words={text.images.channel}
          onChange={(channel) => void navigate({ search: { channel }, replace: true })}
        />
      </Filters>
      <Endless query={query} none={text.images.none}>
        {(images) =>
          images.map(({ id, name }) => <Versions key={id} imageId={id} name={name} channel={filters.channel} />)
        }
      </Endless>
      <Section title={text.images.sending}>
        <p>{text.images.sendingMeans}</p>
        <Copyable value={text.images.sendingCommand} />
      </Section>
      <Keys />
      <Section title={text.images.sticks}>
        <Sticks query={media} none={text.images.noSticks} />
      </Section>
    </Page>
  );
}

interface VersionsProps {
  imageId: string;
  name: string;
  channel: keyof typeof CHANNEL_LOOKS | undefined;
}

/** All of one image, the newest release first. */
function Versions({ imageId, name, channel: wanted }: VersionsProps): ReactNode {
  const query = useQuery(imageQuery(imageId));
  return (
    <Section title={name}>
      <Loaded query={query}>
        {({ versions }) => {
          const shown = versions.filter(({ channel }) => wanted === undefined || channel === wanted);
          if (shown.length === 0) return <Empty>{text.images.noVersions}</Empty>;
          return (
            <Table
              rows={shown}
              columns={[
                {
                  name: text.images.version,
                  cell: ({ id, version }) => (
                    <Link to="/images/$versionId" params={{ versionId: id }}>
                      {version}
                    </Link>
                  ),
                },
                {
                  name: text.images.channelLabel,
                  cell: ({ channel }) => <Mark {...CHANNEL_LOOKS[channel]} word={text.images.channel[channel]} />,
                },
                {
                  name: text.images.machine,
                  cell: ({ os, architecture }) => [os, architecture].filter(Boolean).join(' · ') || text.images.notSaid,
                },
                { name: text.images.released, cell: ({ releasedAt }) => <Instant at={releasedAt} /> },
                {
                  name: text.images.contentLabel,
                  cell: ({ content }) => (content ? text.images.content[content.state] : text.images.noContent),
                },
              ]}
            />
          );
        }}
      </Loaded>
    </Section>
  );
}

/** Whose signature a version needs to be published. */
function Keys(): ReactNode {
  const query = useQuery(releaseKeysQuery);
  return (
    <Section title={text.images.releaseKeys}>
      <Loaded query={query} lines={1}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{text.images.noKeys}</Empty>
          ) : (
            <ul className="rows">
              {items.map(({ id, name, fingerprint, addedBy, addedAt, retiredAt }) => (
                <li key={id} className="row-plain">
                  <span className="row-name">
                    {name}{' '}
                    {retiredAt === null ? (
                      <Mark shape="●" tone="good" word={text.images.keyCounts} />
                    ) : (
                      <Mark shape="⊘" tone="over" word={text.images.keyRetired} />
                    )}
                  </span>
                  <span className="row-detail long">
                    SHA-256 <code>{fingerprint}</code>
                  </span>
                  <span className="dim">
                    {text.images.addedBy(addedBy)} <Instant at={addedAt} />
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}
