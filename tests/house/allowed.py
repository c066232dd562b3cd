"""The calls that house rules forbid in `lib`, and the files that may make them all the same, each with its reason."""

from __future__ import annotations

# Why nobody calls these without a reason.
FORBIDDEN = {
    "collect": "brings rows to the driver, and grows with the data",
    "toPandas": "brings rows to the driver, and grows with the data",
    "toLocalIterator": "brings rows to the driver, and grows with the data",
    "cache": "holds memory that nobody gives back",
    "persist": "holds memory that somebody must give back",
    "rand": "another answer every time",
    "randn": "another answer every time",
    "uuid": "another answer every time",
    "current_timestamp": "time is an argument",
    "current_date": "time is an argument",
    "now": "time is an argument",
    "today": "time is an argument",
    "utcnow": "time is an argument",
    "monotonically_increasing_id": "depends on the partitioning",
    "spark_partition_id": "depends on the partitioning",
    "input_file_block_start": "depends on the partitioning",
}

# file below lib/personalake → call → why it is right there
ALLOWED: dict[str, dict[str, str]] = {
    "export.py": {"toLocalIterator": "an audience goes to a file as it comes, a partition at a time"},
    "finding.py": {"collect": "the persons of one chunk of asked identifiers; one item's audience, up to its limit"},
    "mending.py": {"collect": "one link: two rows at most"},
    "ingest/check.py": {"collect": "one row, to try a time format and a zone before any file is read"},
    "ingest/inspect.py": {"collect": "one row per input file"},
    "manifest.py": {
        "collect": "the newest run of each stage: a dozen rows",
        "now": "when a run started is the clock's to tell; no result depends on it",
    },
    "lifetime/fit.py": {"persist": "the histories are read by every step of a fit; given back when it ends"},
    "operate.py": {"collect": "the twenty newest runs"},
    "recommend/als_one_job.py": {"collect": "one number per iteration"},
    "recommend/als_rounds.py": {"collect": "the factors of one side, as bytes: what `collected_matrix` bounds"},
    "published.py": {"collect": "the purposes of consents, a thousand at most"},
    "recommend/als_mllib.py": {"persist": "the ratings are read by every iteration; given back when the fit ends"},
    "recommend/checks.py": {"collect": "one row: how many rows of each fault"},
    "recommend/content.py": {"persist": "the features are the model; `unpersist` of the fitted model gives back"},
    "recommend/item_cosine.py": {"persist": "the neighbours are the model; `unpersist` of the fitted model gives back"},
    "recommend/learned/ranker.py": {
        "persist": "the examples are counted, then read by every iteration; given back when the fit ends"
    },
    "recommend/product/cap.py": {"collect": "one row of what a cap dropped"},
    "recommend/product/neighbours.py": {"collect": "one row per length of history; one row of count and bounds"},
    "recommend/saving.py": {"collect": "one row: the saved settings"},
    "recommend/user_knn.py": {"persist": "the neighbours are the model; `unpersist` of the fitted model gives back"},
    "recommend/popular.py": {"persist": "the ranking is the model; `unpersist` of the fitted model gives back"},
    "predict/classifier.py": {"persist": "the examples are read by every step of a fit; given back when it ends"},
    "predict/encoding.py": {"collect": "the most frequent values of each text feature, as many as conf says"},
    "predict/measure.py": {"collect": "ten rows: one a tenth of the persons"},
    "report/gather.py": {"collect": "what a page shows: grouped by day, platform, segment or metric, or limited"},
    "segments/fit.py": {
        "collect": "one row per segment",
        "persist": "the points are read by every iteration and every k; given back when the fit ends",
    },
    "segments/lookalike.py": {"collect": "one row per feature; the seeds, as many as settings allow"},
    "segments/models.py": {"collect": "one row per segment"},
    "segments/segment.py": {"collect": "one row per segment of the last run"},
    "segments/stability.py": {"collect": "one row per segment; one per pair of fits and of their segments"},
    "sourcing.py": {"collect": "the first records of one file, as many as are asked for"},
    "sample/write.py": {"collect": "the counts of the truth: one row per source and kind"},
    "stages/connected.py": {"collect": "one row per read of a source"},
    "stages/counts.py": {"collect": "one row per read of a batch; fifty fields nobody declared"},
    "stages/arrivals.py": {"collect": "one row per file that was read"},
    "stages/identity.py": {"collect": "the three largest of the components that are too large; in sound data none"},
    "stages/ingest.py": {"collect": "one row per input file"},
    "stages/rollups.py": {"collect": "days: those that visits near changed ones touch, and those of moved persons"},
    "stages/predict.py": {"collect": "the values of one attribute, twelve at most"},
    "stages/requeue.py": {"collect": "one row per file that refused records came from"},
    "stages/watch.py": {"collect": "one row per source and day, per alarm, and per read"},
    "stages/recommend.py": {"collect": "one row per rule: how much it removed"},
    "views/console.py": {"toLocalIterator": "a query's answer is printed as it comes, a partition at a time"},
    "views/evidence.py": {"collect": "the identifiers, links and moves of one person, five hundred rows at most"},
    "views/person.py": {"collect": "the rows of one person"},
    "views/register.py": {"collect": "the description of one table"},
}

# Who may import delta, or read and write by a Spark session; folders and files below lib/personalake.
TABLE_ACCESS = {
    "store": "the only reader and writer of tables",
    "sample": "writes raw logs, which are no tables",
    "ingest": "reads raw logs, which are no tables",
    "job.py": "scratch files that end a long plan, which are no tables",
    "manifest.py": "one row of runs, when all tables of a stage are written",
    "recommend/saving.py": "saves and loads a fitted model, at a path of the caller's",
}

# Windows whose order does not visibly end in a key: file below lib/personalake → order → why it is total all the same
WINDOWS: dict[str, dict[str, str]] = {
    "evaluate/beyond_accuracy.py": {"'_shown'": "one row per count: the rows were summed by it"},
    "profiles/days.py": {
        "'event_at', 'platform', 'currency'": "lines of an order alike in all three are in one row of the result"
    },
    "identity/links.py": {"*_owner_order(settings)": "of those with the same rank none owns the device"},
    "identity/persons.py": {"*order": "the order ends in a person_id"},
    "ingest/entities.py": {"'source', 'file', CIPHER": "equal records of one file are told apart by their number only"},
    "ingest/mapping.py": {"PATH, RECORD": "equal records of one file are told apart by their number only"},
    "predict/encoding.py": {
        "F.col('_persons').desc(), 'text'": "one row per feature and text: the rows were counted by it"
    },
    "predict/tenths.py": {"F.col('_bucket').desc()": "one row per bucket"},
    "profiles/index.py": {"id_column": "the column is the key", "'_bucket'": "one row per bucket"},
    "recommend/index.py": {"id_column": "the column is the key", "'_bucket'": "one row per bucket"},
}

# Declared columns whose name does not follow from their type, or their type from their name.
COLUMNS: dict[str, str] = {}
