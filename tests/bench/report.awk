# SPDX-License-Identifier: GPL-2.0-or-later
# report: the samples of bench.sh as a table on stdout and as JSON in the file
# `json`. Lines of input, fields separated by tabs:
#
#   @about    KEY VALUE                      of the run
#   @variant  NAME GROUPS VERSION            a column; where it is a peer
#   @row      METRIC LABEL UNIT more|less    a row; without METRIC a heading
#   NAME      REASON                         a column that is left out
#   NAME      METRIC VALUE                   a sample
#
# A ratio is always "this figure / that one". No gawk-isms: Debian has mawk.

BEGIN { FS = "\t" }

/^#/ || NF == 0 { next }
$1 == "@about" { key[++keys] = $2; about[$2] = $3; next }
$1 == "@variant" {
    variant[++variants] = $2
    peer_in[$2] = $3
    version[$2] = $4
    next
}
$1 == "@row" {
    metric[++rows] = $2
    label[rows] = $3
    unit[rows] = $4
    better[rows] = $5
    next
}
NF == 2 { reason[$1] = $2; next }
$3 != "" { sample[$1, $2, ++samples[$1, $2]] = $3 + 0 }

# the median of a variant's samples, "" without one
function median(name, what, n, i, j, value, sorted)
{
    n = samples[name, what]
    for (i = 1; i <= n; i++) {
        value = sample[name, what, i]
        for (j = i - 1; j >= 1 && sorted[j] > value; j--)
            sorted[j + 1] = sorted[j]
        sorted[j + 1] = value
    }
    if (!n)
        return ""
    if (n % 2)
        return sorted[(n + 1) / 2]
    return (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

# whether a variant counts as a peer for a metric
function is_peer(name, what, group)
{
    if (peer_in[name] == "-")
        return 0
    group = substr(what, 1, index(what, "_") - 1)
    if (group != "out" && group != "pub")
        return 1
    return index(peer_in[name], group) > 0
}

function find_best(row, i, value, best)
{
    best = ""
    best_peer[row] = ""
    for (i = 1; i <= variants; i++) {
        value = median(variant[i], metric[row])
        if (value == "" || !is_peer(variant[i], metric[row]))
            continue
        if (best == "" || (better[row] == "more" ? value > best \
                                                 : value < best)) {
            best = value
            best_peer[row] = variant[i]
        }
    }
    return best
}

function show(value)
{
    if (value == "")
        return "-"
    if (value == 0)
        return "0"
    if (value >= 100)
        return sprintf("%.0f", value)
    return sprintf(value >= 10 ? "%.1f" : value >= 0.1 ? "%.2f" : "%.4f", value)
}

function ratio(value, other)
{
    return value == "" || other == "" || other == 0 ? "" : value / other
}

function quote(text)
{
    gsub(/[\\"]/, "\\\\&", text)
    gsub(/[\001-\037\177]/, " ", text)
    return "\"" text "\""
}

# Marks the columns that have a sample in the rows after heading `first`, up to
# the next one; how many there are.
function find_columns(first, row, i, n)
{
    split("", column)
    for (i = 1; i <= variants; i++)
        for (row = first + 1; row <= rows && metric[row] != ""; row++)
            if (samples[variant[i], metric[row]] && !column[i]++)
                n++
    return n
}

function print_heading(row, i)
{
    printf "\n%s\n%-36s", label[row], ""
    for (i = 1; i <= variants; i++)
        if (column[i])
            printf " %11s", variant[i]
    printf " | %8s %s\n", "/ loopb.", "/ best peer"
}

# each heading has its own columns; rows nobody measured are left out
function print_table(row, i, figure, limit, best, is_shown)
{
    for (i = 1; i <= keys; i++)
        printf "%s%s: %s", (i > 1 ? "; " : ""), key[i], about[key[i]]
    printf "\n\nMedians of the rounds; behind the line: rnet's by that one.\n"
    for (row = 1; row <= rows; row++) {
        if (metric[row] == "") {
            is_shown = find_columns(row) > 0
            if (is_shown)
                print_heading(row)
            continue
        }
        if (!is_shown)
            continue
        printf "%-28s %7s", label[row], unit[row]
        for (i = 1; i <= variants; i++)
            if (column[i])
                printf " %11s", show(median(variant[i], metric[row]))
        figure = median("rnet", metric[row])
        limit = median("loopback", metric[row])
        best = find_best(row)
        printf " | %8s %8s %s\n", show(ratio(figure, limit)),
            show(ratio(figure, best)), ratio(figure, best) == "" ? "" \
            : best_peer[row]
    }
    printf "\n"
    for (i = 1; i <= variants; i++)
        if (reason[variant[i]] != "")
            printf "left out: %s: %s\n", variant[i], reason[variant[i]]
}

function print_samples(name, row, first, i, n)
{
    n = samples[name, metric[row]]
    if (!n)
        return first
    printf "%s\n        %s: { \"median\": %s, \"samples\": [", \
        (first ? "" : ","), quote(name), \
        sprintf("%.6g", median(name, metric[row])) >json
    for (i = 1; i <= n; i++)
        printf "%s%.6g", (i > 1 ? ", " : ""), \
            sample[name, metric[row], i] >json
    printf "]" >json
    value = median(name, metric[row])
    limit = ratio(value, median("loopback", metric[row]))
    best = ratio(value, find_best(row))
    if (limit != "" && name != "loopback")
        printf ", \"to_loopback\": %.4g", limit >json
    if (best != "")
        printf ", \"to_best_peer\": %.4g", best >json
    printf " }" >json
    return 0
}

function write_json(i, row, first)
{
    printf "{\n  \"about\": {" >json
    for (i = 1; i <= keys; i++)
        printf "%s\n    %s: %s", (i > 1 ? "," : ""), quote(key[i]), \
            quote(about[key[i]]) >json
    printf "\n  },\n  \"variants\": {" >json
    for (i = 1; i <= variants; i++) {
        printf "%s\n    %s: { \"version\": %s", (i > 1 ? "," : ""), \
            quote(variant[i]), quote(version[variant[i]]) >json
        if (reason[variant[i]] != "")
            printf ", \"left_out\": %s", quote(reason[variant[i]]) >json
        printf " }" >json
    }
    printf "\n  },\n  \"figures\": {" >json
    for (row = 1; row <= rows; row++) {
        if (metric[row] == "")
            continue
        printf "%s\n    %s: { \"unit\": %s, \"better\": %s, ", \
            (comma++ ? "," : ""), quote(metric[row]), quote(unit[row]), \
            quote(better[row]) >json
        printf "\"best_peer\": %s, \"variants\": {", \
            (find_best(row) == "" ? "null" : quote(best_peer[row])) >json
        first = 1
        for (i = 1; i <= variants; i++)
            first = print_samples(variant[i], row, first)
        printf "\n      } }" >json
    }
    printf "\n  }\n}\n" >json
    close(json)
}

END {
    print_table()
    write_json()
}
