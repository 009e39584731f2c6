/**
 * Of the device `d`: it carries the version that is the one to use. Where nothing of its image was ever published, as
 * before there were channels, that is the newest draft that is released by now.
 */
export const HAS_CURRENT_IMAGE = `EXISTS (
  SELECT FROM image_versions mine WHERE mine.id = d.image_version_id AND (
    mine.channel = 'current'
    OR mine.channel = 'draft' AND NOT EXISTS (
      SELECT FROM image_versions other WHERE other.image_id = mine.image_id AND (
        other.published_at IS NOT NULL
        OR other.channel = 'draft' AND other.released_at > mine.released_at AND other.released_at <= now()))))`;

/** Of the device `d` of the model `m`: a spare that can really be given, today, to anybody. */
export const CAN_BE_GIVEN = `d.state = 'in_stock' AND d.working AND m.standard AND ${HAS_CURRENT_IMAGE}`;
