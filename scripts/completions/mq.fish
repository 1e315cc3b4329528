# Options and commands are what --help says, so they are never out of date; all else is a file.
function __mq_words
    set --local words (commandline -opc)
    set --local program $words[1]
    set --local commands ($program --help 2>/dev/null |
        string replace --filter --regex "^  "(path basename $program)" ([a-z]+) .*" '$1' | sort -u)
    if contains -- "$words[2]" $commands
        set --append program $words[2]
    else if test (count $words) = 1
        printf '%s\tcommand\n' $commands
    end
    $program --help 2>/dev/null | awk '
        function say() { for (i = 1; i <= n; ++i) print names[i] "\t" help; n = 0 }
        /^ +-/ {
            say(); sub(/^ +/, ""); gap = match($0, /  +/)
            help = gap ? substr($0, gap + RLENGTH) : ""
            n = split(gap ? substr($0, 1, gap - 1) : $0, names, /[, ]+/)
            for (i = n; i > 0; --i) if (names[i] !~ /^-/) { names[i] = names[n]; --n }
            next
        }
        /^ +[^ ]/ && n { sub(/^ +/, ""); help = help (help == "" ? "" : " ") $0; next }
        { say() }
        END { say() }'
end
for program in mqbroker mqsub mqpub
    complete --command $program --arguments '(__mq_words)'
end
