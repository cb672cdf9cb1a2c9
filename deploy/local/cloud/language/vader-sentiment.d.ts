declare module 'vader-sentiment' {
  export const SentimentIntensityAnalyzer: {
    /** `compound` is the sentiment from −1 to 1. */
    polarity_scores(text: string): { compound: number };
  };
}
