# Options, their values and commands are what --help says, so they are never out of date; of other
# values nothing is known, and all else is a file.

# __mq_values OPTION PROGRAM... - VALUE, or FILE, when the option takes one; behind it what it may be.
function __mq_values
    $argv[2..] --help 2>/dev/null | awk -v option=$argv[1] '
    /^  (    )?-/ {
      if (wanted) exit
      left = substr($0, 32, 1) == " " ? substr($0, 1, 31) : $0
      wanted = index(left " ", " " option " ") || index(left, " " option ",")
      wanted = wanted && left ~ / \[?[A-Z][A-Z]/
      help = substr($0, length(left) + 1)
      next
    }
    { help = help " " $0 }
    END {
      if (!wanted) exit
      print left ~ /FILE|DIR/ ? "FILE" : "VALUE"
      gsub(/ +/, " ", help); sub(/^ /, ": ", help)
      if (!match(help, /: ([a-z0-9.-]+, )*[a-z0-9.-]+ or [a-z0-9.-]+/)) exit
      help = substr(help, RSTART + 2, RLENGTH - 2); gsub(/, | or /, "\n", help); print help
    }'
end

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
    if not string match --quiet -- '-*' (commandline -ct)
        set --local values (__mq_values $words[-1] $program)
        if test "$values[1]" = VALUE
            printf '%s\n' $values[2..]
        else if test "$values[1]" = FILE -o (count $words) -gt 1
            __fish_complete_path (commandline -ct)
        end
        return
    end
    $program --help 2>/dev/null | awk '
        function say() { for (i = 1; i <= n; ++i) print names[i] "\t" help; n = 0 }
        /^  (    )?-/ {
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
    complete --command $program --no-files --arguments '(__mq_words)'
end
