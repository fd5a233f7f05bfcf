/** What fields of forms take at the most. The server decides (config/limits.ts); here it is said while one types. */
export const bounds = Object.freeze({
  giftNameChars: 60,
  giftPrice: 1_000_000_000,
  giftUrlChars: 300,
  productNameChars: 100,
  productFen: 100_000_000,
  productCoins: 1_000_000_000,
  topicChars: 64,
  remarkChars: 200,
  bizCode: 4_294_967_295,
  keyNameChars: 100,
  keyPerMinute: 10_000_000,
  webhookUrlChars: 2_048,
  webhookDescriptionChars: 200,
});
