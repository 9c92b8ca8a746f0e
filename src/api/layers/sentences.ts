/** Sentences to watch a model on where it is given none: everyday text, Chinese and English, short and long. */
export const SENTENCES: readonly string[] = [
  '今天下午三点，市图书馆将举办一场关于古代建筑的讲座。',
  '球队在最后一分钟打进关键一球，以二比一战胜了对手。',
  '新手机的电池可以用两天，但是价格比去年贵了不少。',
  '受冷空气影响，北方多地明天将迎来大风和降雪天气。',
  '她把信读了两遍，然后慢慢地走到窗前，什么也没有说。',
  '专家提醒，网上购物时不要点击来历不明的链接。',
  'The museum opens at nine, and the last visitors leave shortly before six in the evening.',
  'After three days of rain the river had risen so far that the old bridge was closed.',
  'Researchers found that the new battery lasts twice as long but takes an hour to charge.',
  'He had never liked the house, although he could not have said why.',
  'The bank raised interest rates for the second time this year, and shares fell.',
  'If you want the bread to keep, wrap it in a cloth and do not put it in the fridge.',
]
