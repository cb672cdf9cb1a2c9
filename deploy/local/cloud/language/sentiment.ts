import { SentimentIntensityAnalyzer } from 'vader-sentiment';

export type Sentiment = { score: number; magnitude: number };

/** VADER's compound is made for one sentence; its size is how strong the feeling is. https://github.com/cjhutto/vaderSentiment */
export function sentimentOf(sentence: string): Sentiment {
  const { compound } = SentimentIntensityAnalyzer.polarity_scores(sentence);
  return { score: compound, magnitude: Math.abs(compound) };
}

/** The mean of the scores and the sum of the magnitudes: a text of opposite feelings is strong but balanced. */
export function together(sentiments: Sentiment[]): Sentiment {
  const sum = (part: keyof Sentiment) => sentiments.reduce((total, one) => total + one[part], 0);
  return { score: sum('score') / Math.max(sentiments.length, 1), magnitude: sum('magnitude') };
}
