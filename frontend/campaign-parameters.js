// The parameters of an address that say where a visitor came from: `utm_*` and the click ids of ad networks (gclid,
// fbclid, ttclid, yclid, gbraid, wbraid, li_fat_id). Nothing else of an address is ever read, because it may be personal.

const CAMPAIGN_PARAMETER = /\b(utm_\w+|\w+clk?id|.braid|li_fat_id)=[^&]+/g;

/** Lists the page's own campaign parameters as `name=value`, still percent-encoded; null when there are none. */
export const campaignParameters = () => location.search.match(CAMPAIGN_PARAMETER);
